"""A page opens with the door, calls only verbs, and is never served without Home.py."""

import ast
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from tests.house.source import ROOT, imported, name_of, packages, parse, python_files

DATABASES: Final = {"sqlalchemy", "duckdb", "sqlite3", "psycopg", "adbc_driver_manager", "alembic"}
MACHINERY: Final = {
    # These make the desk that every verb wants first, so they cannot call verbs alone.
    "Home.py",
    "pages/parts/ui.py",
    "pages/parts/sign_in.py",
    "pages/parts/visitor.py",
}
PLAIN_CORE: Final = {
    # Words, numbers and types; nothing in them reaches the database.
    *("errors", "money", "cells", "ids", "cookies", "clock", "states", "secrets", "permissions"),
    "desk",
}
VERBS: Final = {"command", "query", "flow"}


def misplaced(pages: Path) -> list[str]:
    """Files directly in pages/: Streamlit serves them in a fresh process without Home.py."""
    return [path.name for path in sorted(pages.glob("*.py")) if path.name != "__init__.py"]


def databases_used(name: str, tree: ast.AST) -> list[str]:
    """A page that talks to a database by itself."""
    return [
        f"{name}:{line}: a page does not import {package}"
        for line, package in sorted(packages(tree))
        if package in DATABASES
    ]


def opens_with_the_door(tree: ast.Module) -> bool:
    """Whether docstring and imports are followed by `desk = ui.enter(Permission.X, title=...)`."""
    if ast.get_docstring(tree) is None:
        return False
    rest = (node for node in tree.body[1:] if not isinstance(node, ast.Import | ast.ImportFrom))
    match next(rest, None):
        case ast.Assign(
            targets=[ast.Name(id="desk")],
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id="ui"), attr="enter"),
                args=[ast.Attribute(value=ast.Name(id="Permission"))],
                keywords=keywords,
            ),
        ):
            return "title" in {keyword.arg for keyword in keywords}
    return False


def calls_beside_verbs(name: str, tree: ast.AST, root: Path = ROOT) -> list[str]:
    """Functions of the bank a page calls although they are no verbs, so nobody checks them."""
    wrong = [
        f"{name}:{line}: {used} is not for pages"
        for line, used in sorted(imported(tree))
        if used in {"bank.app", "bank.web", "bank.core.db", "bank.core.config"}
    ]
    names = dict(_names_from_the_bank(tree, root))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        local, _, member = called.rpartition(".")
        if local in names and "." in names[local]:
            target = f"{names[local]}.{member}"
        elif called in names:
            target = names[called]
        else:
            continue
        module, _, function = target.rpartition(".")
        floor, _, noun = module.removeprefix("bank.").partition(".")
        if floor == "core" and noun in PLAIN_CORE:
            continue
        if not _is_verb_or_class(root / Path(*module.split(".")).with_suffix(".py"), function):
            wrong.append(f"{name}:{node.lineno}: {target} is no verb")
    return wrong


def days_asked_elsewhere(name: str, tree: ast.AST) -> list[str]:
    """A date input of one's own: Streamlit's reaches back ten years, the bank's books further."""
    return [
        f"{name}:{node.lineno}: ask with forms.day_input or forms.days_input"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "date_input"
    ]


def gone_to_elsewhere(name: str, tree: ast.AST) -> list[str]:
    """A way to another page beside `ui.go`: it fails where a field is bound to the address."""
    return [
        f"{name}:{node.lineno}: go with ui.go"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "switch_page")
        or (isinstance(node, ast.alias) and node.name == "switch_page")
    ]


def _names_from_the_bank(tree: ast.AST, root: Path) -> Iterator[tuple[str, str]]:
    """Local names and what they stand for: cash -> bank.counters.cash (or a member of it)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("bank."):
                    yield alias.asname or alias.name, alias.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bank":
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _is_verb_or_class(path: Path, name: str) -> bool:
    if not path.is_file():
        return True  # a member of a class: Kind.of(...), Receipt.from_row(...)
    for node in parse(path).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return True
        if isinstance(node, ast.FunctionDef) and node.name == name:
            decorators = {ast.unparse(each).partition("(")[0] for each in node.decorator_list}
            return bool({each.rpartition(".")[2] for each in decorators} & VERBS)
    return False


def unmarked_secrets(name: str, tree: ast.AST) -> list[str]:
    """Inputs for a password or code beside the two of forms.py, whose keys say that they are."""
    return [
        f"{name}:{node.lineno}: use forms.password_input or forms.code_input"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("text_input")
        for option in node.keywords
        if option.arg in {"type", "autocomplete"}
        and any(word in ast.unparse(option.value) for word in ("password", "one-time-code"))
    ]


FILES: Final = {name_of(path): path for path in python_files("pages", "Home.py") if path.is_file()}
ROOMS: Final = {
    name: path
    for name, path in FILES.items()
    if name.startswith("pages/")
    and not name.startswith("pages/parts/")
    and path.name != "__init__.py"
}


def _all(findings: Iterable[list[str]]) -> list[str]:
    return [*chain(*findings)]


def test_no_page_lies_directly_under_pages() -> None:
    assert misplaced(ROOT / "pages") == []


def test_a_page_never_touches_a_database() -> None:
    assert _all(databases_used(name, parse(path)) for name, path in FILES.items()) == []


def test_a_page_opens_with_the_door() -> None:
    assert [name for name, path in ROOMS.items() if not opens_with_the_door(parse(path))] == []


def test_a_page_calls_only_verbs() -> None:
    ordinary = {name: path for name, path in FILES.items() if name not in MACHINERY}
    assert _all(calls_beside_verbs(name, parse(path)) for name, path in ordinary.items()) == []


def test_a_day_is_asked_in_one_way() -> None:
    others = {name: path for name, path in FILES.items() if name != "pages/parts/forms.py"}
    assert _all(days_asked_elsewhere(name, parse(path)) for name, path in others.items()) == []


def test_a_page_is_opened_in_one_way() -> None:
    others = {name: path for name, path in FILES.items() if name != "pages/parts/ui.py"}
    assert _all(gone_to_elsewhere(name, parse(path)) for name, path in others.items()) == []


def test_a_page_marks_every_secret_input() -> None:
    # The sign-in's own form is drawn by streamlit-authenticator, for nobody who could be locked.
    other = {name for name in FILES} - {"pages/parts/forms.py", "pages/parts/sign_in.py"}
    assert _all(unmarked_secrets(name, parse(FILES[name])) for name in sorted(other)) == []


# The rules can fail.


def test_a_date_input_of_ones_own_is_found() -> None:
    assert days_asked_elsewhere("pages/a/b.py", ast.parse("left.date_input('From')"))


def test_another_way_to_a_page_is_found() -> None:
    assert gone_to_elsewhere("pages/a/b.py", ast.parse("st.switch_page('pages/a/c.py')"))
    assert gone_to_elsewhere("pages/a/b.py", ast.parse("from streamlit import switch_page"))
    assert not gone_to_elsewhere("pages/a/b.py", ast.parse("ui.go('a/c.py')"))


@pytest.mark.parametrize(
    "code",
    [
        'st.text_input("PIN", type="password", key="pin")',
        'where.text_input("PIN", autocomplete="one-time-code")',
        'st.text_input("PIN", autocomplete="new-password" if new else "current-password")',
    ],
)
def test_an_unmarked_secret_is_found(code: str) -> None:
    assert unmarked_secrets("pages/a/b.py", ast.parse(code))
    assert not unmarked_secrets("pages/a/b.py", ast.parse('st.text_input("Note", key="note")'))


def test_a_misplaced_page_is_found(tmp_path: Path) -> None:
    (tmp_path / "cashier").mkdir()
    for name in ("__init__.py", "queue.py", "cashier/counter.py"):
        (tmp_path / name).touch()
    assert misplaced(tmp_path) == ["queue.py"]


@pytest.mark.parametrize(
    "code", ["import sqlite3", "from sqlalchemy.orm import Session", "import duckdb as d"]
)
def test_a_page_with_a_database_is_found(code: str) -> None:
    assert databases_used("pages/a/b.py", ast.parse(code))


GOOD: Final = '''"""Counter."""
import streamlit as st
from bank.core.permissions import Permission
from pages.parts import ui

desk = ui.enter(Permission.CASH_POST, title="Counter")
'''


@pytest.mark.parametrize(
    "code",
    [
        GOOD.replace('"""Counter."""', ""),
        GOOD.replace("desk = ui", "st.title('Hello')\ndesk = ui"),
        GOOD.replace("desk = ", ""),
        GOOD.replace("Permission.CASH_POST", "anything"),
        GOOD.replace(', title="Counter"', ""),
        GOOD.replace("desk = ui.enter", "desk = enter"),
        '"""Empty."""',
    ],
)
def test_a_page_without_the_door_is_found(code: str) -> None:
    assert opens_with_the_door(ast.parse(GOOD))
    assert not opens_with_the_door(ast.parse(code))


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    """A bank with one noun that has a verb, a class, and a helper that checks nothing."""
    (tmp_path / "bank" / "counters").mkdir(parents=True)
    (tmp_path / "bank" / "counters" / "cash.py").write_text(
        "class Slip: ...\n"
        "@command(Permission.CASH_POST)\ndef deposit(tx): ...\n"
        "@desk.query(Permission.CASH_VIEW)\ndef slips(tx): ...\n"
        "def unchecked(tx): ...\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    "code",
    [
        "from bank.counters import cash\ncash.unchecked(desk)",
        "from bank.counters import cash as c\nif x:\n    c.unchecked(desk)",
        "from bank.counters.cash import unchecked\nunchecked(desk)",
        "import bank.counters.cash\nbank.counters.cash.unchecked(desk)",
        "from bank.counters import cash\ncash.nowhere(desk)",
        "from bank.core import db",
        "from bank.app import open_bank",
    ],
)
def test_a_call_beside_the_verbs_is_found(small_house: Path, code: str) -> None:
    assert calls_beside_verbs("pages/a/b.py", ast.parse(code), small_house)


@pytest.mark.parametrize(
    "code",
    [
        "from bank.counters import cash\ncash.deposit(desk)\ncash.slips(desk)\ncash.Slip()",
        "from bank.counters.cash import deposit\ndeposit(desk)",
        "from bank.counters.cash import Slip\nSlip.of(1)",
        "from bank.core import money\nmoney.rupees(1)",
        "from bank.core.money import rupees\nrupees(1)",
        "print(len(desk.name))",
    ],
)
def test_verbs_classes_and_plain_words_are_free(small_house: Path, code: str) -> None:
    assert calls_beside_verbs("pages/a/b.py", ast.parse(code), small_house) == []
