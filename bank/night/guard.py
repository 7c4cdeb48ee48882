"""What a report's SQL may say: read the tables that were offered, with functions that are known.

The SQL is judged as the syntax tree that DuckDB's own parser makes of it, by lists
of what is allowed: a new kind of node, table or function is refused until somebody adds it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

QUERIES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE"})
RELATIONS: Final = frozenset(
    {"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY"}
)
MODIFIERS: Final = frozenset(
    {"ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER", "ASCENDING", "DESCENDING"}
) | {"ORDER_DEFAULT"}
EXPRESSIONS: Final = frozenset(
    {"COLUMN_REF", "CONSTANT", "FUNCTION", "COMPARISON", "CONJUNCTION", "CASE", "CAST", "OPERATOR"}
) | {"BETWEEN", "WINDOW", "PARAMETER", "SUBQUERY", "STAR", "TYPE"}
TABLE_FUNCTIONS: Final = frozenset({"range", "generate_series", "unnest"})
AGGREGATES: Final = frozenset(
    {"sum", "avg", "min", "max", "median", "quantile_cont", "arg_min", "arg_max", "first", "last"}
)
FUNCTIONS: Final = (
    AGGREGATES
    | {"count", "count_star", "bool_and", "bool_or", "string_agg", "row_number", "rank"}
    | {"dense_rank", "lag", "lead", "first_value", "last_value", "ntile", "percent_rank"}
    | {"+", "-", "*", "/", "//", "%", "||", "abs", "round", "floor", "ceil", "trunc", "sign"}
    | {
        "greatest",
        "least",
        "coalesce",
        "nullif",
        "lower",
        "upper",
        "trim",
        "length",
        "substr",
        "left",
        "right",
    }
    | {"concat", "replace", "~~", "!~~", "lpad", "date_trunc", "date_part", "date_diff", "date_add"}
    | {
        "to_days",
        "to_weeks",
        "to_months",
        "to_years",
        "datediff",
        "year",
        "quarter",
        "month",
        "day",
        "last_day",
        "make_date",
        "strftime",
    }
)


class Refused(ValueError):
    """This SQL may not be run as a report; the text says why."""


@dataclass(frozen=True)
class Checked:
    """What an allowed SELECT uses: tables of the bank, and parameters by name."""

    tables: frozenset[str]
    parameters: frozenset[str]


def check(tree: Mapping[str, Any], tables: Collection[str], taken: Collection[str]) -> Checked:
    """Judge a tree of `json_serialize_sql`; Refused unless it is exactly one allowed SELECT.

    `tables` may be read, by their bare names. `taken` are names that a common table expression may
    not have: those tables and whatever else the database knows, so that no name means two things.
    """
    if tree.get("error"):
        raise Refused(f"it is not one plain SELECT: {tree.get('error_message')}")
    statements = tree["statements"]
    if len(statements) != 1:
        raise Refused(f"it holds {len(statements)} statements, not exactly one")
    expressions = frozenset(name.lower() for name in _common_tables(statements[0]))
    if wrong := sorted(expressions & frozenset(taken)):
        raise Refused(f"a common table expression is called {wrong[0]} like a table")
    used: set[str] = set()
    parameters: set[str] = set()
    for node in walk(statements[0]):
        _check_node(node)
        match node.get("class") or node.get("type"):
            case "BASE_TABLE":
                used.add(_bare_table(node))
            case "FUNCTION" | "WINDOW":
                _check_function(node)
            case "TABLE_FUNCTION":
                _check_table_function(node["function"])
            case "PARAMETER":
                parameters.add(node["identifier"])
    used -= expressions
    if unknown := sorted(used - frozenset(tables)):
        raise Refused(f"{unknown[0]} is not a table for reports")
    return Checked(frozenset(used), frozenset(parameters))


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree, outside in."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def _common_tables(tree: Any) -> Iterator[str]:
    for node in walk(tree):
        for entry in (node.get("cte_map") or {}).get("map", ()):
            yield entry["key"]


# Words that DuckDB reads as a column and answers by itself: the machine's clock and its own names.
NOT_COLUMNS: Final = frozenset(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "user"}
    | {"current_user", "session_user", "current_catalog", "current_schema", "current_role"}
)


def _check_node(node: Mapping[str, Any]) -> None:
    kind = node.get("type")
    if not isinstance(kind, str):
        return  # a literal's or a cast's own type
    if "class" in node:
        if node["class"] not in EXPRESSIONS:
            raise Refused(f"{node['class'].lower()} expressions are not allowed")
        if node["class"] == "STAR" and (node["columns"] or node["expr"]):
            raise Refused("COLUMNS(...) is not allowed")
        if node["class"] == "COLUMN_REF" and node["column_names"][-1].lower() in NOT_COLUMNS:
            raise Refused(f"{node['column_names'][-1]} is not allowed: give a parameter instead")
    elif kind not in QUERIES | RELATIONS | MODIFIERS:
        raise Refused(f"{kind} is not allowed")
    if node.get("sample"):
        raise Refused("a sample is not allowed: its figures would change from look to look")


def _bare_table(node: Mapping[str, Any]) -> str:
    path = node["qualified_name"]["path"]
    if len(path) != 1 or node["schema_name"] or node["catalog_name"] or node["at_clause"]:
        raise Refused(f"{'.'.join(path)}: a table is named by its bare name")
    name: str = path[0]
    return name.lower()


def _check_function(node: Mapping[str, Any]) -> None:
    name = node["function_name"].lower()
    if len(node["qualified_name"]["path"]) != 1 or node["schema"] or node["catalog"]:
        raise Refused(f"the function {name} is named by its bare name")
    if name not in FUNCTIONS | TABLE_FUNCTIONS:
        raise Refused(f"the function {name} is not allowed")


def _check_table_function(function: Mapping[str, Any]) -> None:
    name = function["function_name"].lower()
    if name not in TABLE_FUNCTIONS:
        raise Refused(f"the table function {name} is not allowed")
