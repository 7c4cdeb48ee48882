"""What a report's SQL may do with amounts: it never mixes currencies, nor loses sight of an amount.

Judged on the syntax tree, by names alone. An amount is a column whose name ends in `_minor`, and
the column `currency` says in what. So that this stays true from the tables through every query
inside another to the result, whatever is made of an amount ends in `_minor` again, nothing else is
called `currency`, and where tables are joined, amounts and currency come from the same of them.
What cannot be seen to be right is refused; the sentence says how to write it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from itertools import zip_longest
from typing import Any, Final

from bank.night.guard import AGGREGATES, walk

Node = Mapping[str, Any]

CURRENCY: Final = "currency"
# DuckDB numbers a second column of the same name: amount_minor_1 is an amount, too.
_AMOUNT: Final = re.compile(r".*_minor(_\d+)?", re.IGNORECASE | re.DOTALL)
_ADDED: Final = AGGREGATES | {"string_agg"}
# A window reaches other rows by these as well.
_OTHER_ROWS: Final = frozenset({"lag", "lead", "first_value", "last_value"})
# Whatever goes in, what comes out is no amount.
_COUNTING: Final = frozenset(
    {"count", "count_star", "bool_and", "bool_or", "sign", "row_number", "rank", "dense_rank"}
    | {"percent_rank", "ntile"}
)
_YES_OR_NO: Final = frozenset(
    {"OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_NOT", "COMPARE_IN", "COMPARE_NOT_IN"}
)


class Kind(IntEnum):
    """What an expression is. A share is an amount over an amount, which no currency is left in."""

    PLAIN = 0
    SHARE = 1
    AMOUNT = 2


def faults(tree: Node) -> list[str]:
    """What is wrong with the amounts of a tree of `json_serialize_sql`: one sentence for each."""
    root = tree["statements"][0]["node"]
    last = {id(node) for node in _arms(root)}
    nameless: set[int] = set()  # arms of a UNION after the first, which names the columns of all
    found: list[str] = []
    for node in walk(root):
        match node.get("type"):
            case "SELECT_NODE":
                found += _of_select(node)
                found += (
                    fault
                    for item in node["select_list"]
                    for fault in _of_item(item, is_last=id(node) in last)
                    if id(node) not in nameless
                )
            case "SET_OPERATION_NODE" if "BY_NAME" not in node["setop_type"]:
                nameless |= {id(arm) for child in node["children"][1:] for arm in _arms(child)}
                found += _of_union(node)
            case "TABLE_FUNCTION" | "EXPRESSION_LIST" if _mentions_amount(node):
                found.append("an amount is not taken apart or listed: read it from its table")
        found += _renamed(node)
    return list(dict.fromkeys(found))


def is_amount(name: str) -> bool:
    """Whether a column of this name is an amount."""
    return _AMOUNT.fullmatch(name) is not None


def _of_select(node: Node) -> Iterator[str]:
    if not _groups_by_currency(node):
        yield from _amounts_added(_own_nodes([node[part] for part in _PARTS]))
    for each in _own_nodes([node[part] for part in _PARTS]):
        if each.get("class") == "SUBQUERY" and _kind(each) is not Kind.PLAIN:
            yield "an amount of a query inside an expression: join it, on its currency"
        if each.get("class") == "WINDOW" and not any(map(_is_currency, each["partitions"])):
            yield from _amounts_added([{**each, "class": "FUNCTION"}])
            if each["function_name"].lower() in _OTHER_ROWS and _kind(each) is not Kind.PLAIN:
                yield f"{each['function_name']} over amounts of several currencies"
    yield from _of_join(node)


def _of_item(item: Node, *, is_last: bool) -> Iterator[str]:
    """One column of a SELECT: its name and what it is agree."""
    if item["class"] == "STAR":
        if item["replace_list"] or item["rename_list"]:
            yield "* with REPLACE or RENAME is not allowed: write the columns out"
        return
    name, kind = _name(item), _kind(item)
    if kind is Kind.AMOUNT and not name.lower().endswith("_minor"):
        yield f"{name or 'a column without a name'} is an amount, so its name must end in _minor"
    elif kind is Kind.SHARE and not is_last:
        yield f"{name or 'a share'}: an amount over an amount is worked out in the last SELECT"
    elif kind is not Kind.AMOUNT and is_amount(name) and not _is_null(item):
        yield f"{name} is no amount, so its name must not end in _minor"
    if name.lower() == CURRENCY and not _is_currency(item):
        yield "only a currency as a table has it may be called currency"


def _of_join(node: Node) -> Iterator[str]:
    """Amounts and currencies that a SELECT names come from one table, or of tables joined on it."""
    tables, joined = _tables_of(node)
    refs = [
        each["column_names"]
        for each in _own_nodes([node[part] for part in _PARTS])
        if each.get("class") == "COLUMN_REF"
    ]
    rows = {names[0].lower() for names in refs if len(names) == 1} & set(tables)
    if rows:
        yield f"{min(rows)} is a table: name its columns"
    told = [names for names in refs if is_amount(names[-1]) or names[-1].lower() == CURRENCY]
    whole = [item["relation_name"] for item in node["select_list"] if item["class"] == "STAR"]
    if not whole and not any(is_amount(names[-1]) for names in told):
        return
    places = {".".join(names[:-1]).lower() for names in told} | {name.lower() for name in whole}
    if "" in places and len(set(joined.values())) > 1:
        yield "in a join, say of which table each amount and its currency are"
    elif foreign := sorted(places - set(tables) - {""}):
        yield f"{foreign[0]} is not a table of this SELECT, so its amounts are not either"
    elif len({joined[place] for place in places if place}) > 1:
        yield "amounts and currency come from tables that are not joined on their currency"


def _of_union(node: Node) -> Iterator[str]:
    """The first arm names the columns of all: each must be in every arm what its name says."""
    arms = [_arms(child)[0]["select_list"] for child in node["children"]]
    if any(item["class"] == "STAR" for arm in arms for item in arm):
        yield "the arms of a UNION write their columns out"
        return
    first, *others = arms
    for other in others:
        for named, item in zip_longest(first, other):
            if named is None or item is None or _is_null(item):
                continue
            name = _name(named)
            if _kind(item) is Kind.SHARE:
                yield "an amount over an amount is worked out in a SELECT without UNION"
            if is_amount(name) != (_kind(item) is Kind.AMOUNT):
                yield f"{name} is an amount in one arm of a UNION and not in another"
            if name.lower() == CURRENCY and not _is_currency(item):
                yield "only a currency as a table has it may be called currency"


def _renamed(node: Node) -> Iterator[str]:
    """Columns named beside a table instead of in its SELECT, where they could become anything."""
    names = [*(node.get("column_name_alias") or ())]
    plain = node.get("type") in {"TABLE_FUNCTION", "EXPRESSION_LIST"}
    if "query_node" in node:
        names += node.get("aliases") or ()
    if names and not (plain and not any(is_amount(n) or n.lower() == CURRENCY for n in names)):
        yield f"({', '.join(names)}): columns are named in the SELECT that makes them"


_PARTS: Final = ("select_list", "group_expressions", "having", "qualify", "modifiers")


def _groups_by_currency(node: Node) -> bool:
    if node["aggregate_handling"] == "FORCE_AGGREGATES":  # GROUP BY ALL
        return any(map(_is_currency, node["select_list"]))
    keys = {at for at, key in enumerate(node["group_expressions"]) if _is_currency(key)}
    sets: list[list[int]] = node["group_sets"]  # several with ROLLUP, CUBE, GROUPING SETS
    return bool(sets) and all(keys & set(chosen) for chosen in sets)


def _amounts_added(nodes: Iterator[Node] | Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        if node.get("class") != "FUNCTION" or node["function_name"].lower() not in _ADDED:
            continue
        if _mentions_amount(node):
            yield f"{node['function_name']} over amounts of several currencies"


def _kind(node: Any) -> Kind:
    """What an expression is worth; the kind of everything it is made of, unless it says less."""
    if not isinstance(node, dict):
        return max(map(_kind, node), default=Kind.PLAIN) if isinstance(node, list) else Kind.PLAIN
    match node.get("class"):
        case "COLUMN_REF":
            return Kind.AMOUNT if is_amount(node["column_names"][-1]) else Kind.PLAIN
        case "CONSTANT" | "PARAMETER" | "TYPE" | "COMPARISON" | "CONJUNCTION" | "BETWEEN":
            return Kind.PLAIN
        case "CASE":
            return max(
                _kind(node["else_expr"]),
                *(_kind(check["then_expr"]) for check in node["case_checks"]),
            )
        case "SUBQUERY" if node["subquery_type"] == "SCALAR":
            return max(_kind(arm["select_list"]) for arm in _arms(node["subquery"]["node"]))
        case "SUBQUERY":  # EXISTS, IN, ANY: yes or no
            return Kind.PLAIN
        case "OPERATOR" if node["type"] in _YES_OR_NO:
            return Kind.PLAIN
        case "FUNCTION" | "WINDOW":
            return _kind_of_call(node)
    return max(map(_kind, node.values()), default=Kind.PLAIN)


def _kind_of_call(node: Node) -> Kind:
    name = node["function_name"].lower()
    given = [_kind(each) for each in node.get("arguments") or node.get("children") or ()]
    if name in _COUNTING:
        return Kind.PLAIN
    if name in {"/", "//"} and len(given) == 2:
        over = given[1]
        return Kind.SHARE if over is Kind.AMOUNT else max(given)
    return max(given, default=Kind.PLAIN)


def _tables_of(node: Node) -> tuple[list[str], dict[str, str]]:
    """The tables a SELECT reads from, and for each of them one that its currency is the same as."""
    joined: dict[str, str] = {}

    def same(one: str, other: str) -> None:
        if one in joined and other in joined:
            old, new = joined[one], joined[other]
            joined.update({table: new for table, into in joined.items() if into == old})

    def read(table: Node) -> list[str]:
        if table["type"] != "JOIN":
            name = (table.get("alias") or table.get("table_name") or "").lower()
            name = name or f"#{len(joined)}"
            joined[name] = name
            return [name]
        left, right = read(table["left"]), read(table["right"])
        using = {column.lower() for column in table["using_columns"]}
        if CURRENCY in using and len({joined[name] for name in left}) == 1:
            same(left[0], right[0])
        for one, other in _equal_currencies(table["condition"]):
            same(one, other)
        return left + right

    tables = read(node["from_table"]) if node["from_table"]["type"] != "EMPTY" else []
    for one, other in _equal_currencies(node["where_clause"]):
        same(one, other)
    return tables, joined


def _equal_currencies(condition: Node | None) -> Iterator[tuple[str, str]]:
    """Pairs of tables that a condition lets together only in the same currency."""
    if condition is None:
        return
    if condition["type"] == "CONJUNCTION_AND":
        for each in condition["children"]:
            yield from _equal_currencies(each)
    elif condition["type"] == "COMPARE_EQUAL":
        sides = (condition["left"], condition["right"])
        if all(_is_currency(side) and len(side["column_names"]) == 2 for side in sides):
            one, other = (side["column_names"][0].lower() for side in sides)
            yield one, other


def _arms(node: Node) -> list[Node]:
    """The SELECTs that a query's rows come from."""
    if node["type"] != "SET_OPERATION_NODE":
        return [node]
    return [arm for child in node["children"] for arm in _arms(child)]


def _own_nodes(node: Any) -> Iterator[dict[str, Any]]:
    """The nodes of a part of a SELECT that are not those of a query inside it."""
    if isinstance(node, dict):
        yield node
        if node.get("class") != "SUBQUERY":
            for value in node.values():
                yield from _own_nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _own_nodes(value)


def _name(item: Node) -> str:
    names = item["column_names"] if item["class"] == "COLUMN_REF" else [""]
    found: str = item["alias"] or names[-1]
    return found


def _is_currency(item: Node) -> bool:
    return item.get("class") == "COLUMN_REF" and item["column_names"][-1].lower() == CURRENCY


def _is_null(item: Node) -> bool:
    """A place that is left empty, as an arm of a UNION does; it may be called anything."""
    if item.get("class") == "CAST":
        return _is_null(item["child"])
    return item.get("class") == "CONSTANT" and item["literal"]["kind"] == "NULL_LITERAL"


def _mentions_amount(node: Any) -> bool:
    return any(
        each.get("class") == "COLUMN_REF" and is_amount(each["column_names"][-1])
        for each in walk(node)
    )
