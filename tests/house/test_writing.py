"""Only the ledger writes entries and postings, nobody changes them, only the desk commits."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

import pytest

from tests.house.source import ROOT, name_of, parse, python_files, strings_in

LEDGER: Final = {
    # ledger.py and the SQL it keeps in a file per database.
    "bank/book/ledger.py",
    "bank/book/posting_sqlite.py",
    "bank/book/posting_postgres.py",
}
COPIES: Final = {
    "bank/night/analytics.py"
}  # fills its own DuckDB in memory, whose tables are alike
COMMITS: Final = {
    "bank/core/desk.py",
    "bank/app.py",  # migrations run before there is a desk
    "bank/night/analytics.py",  # fills its own DuckDB in memory
}
MODELS: Final = {"JournalEntry", "Posting"}
TABLES: Final = {"entries", "postings"}

_NAMED: Final = rf'"?(?:\w+\.)?"?(?:{"|".join(sorted(TABLES))})\b'
_INSERT_SQL: Final = re.compile(
    rf"\b(?:insert\s+(?:or\s+\w+\s+)?into|replace\s+into|copy)\s+{_NAMED}", re.IGNORECASE
)
_CHANGE_SQL: Final = re.compile(
    rf"\b(?:update\s+(?:only\s+)?{_NAMED}\s+(?:as\s+)?(?:\w+\s+)?set"
    rf"|delete\s+from\s+(?:only\s+)?{_NAMED}|truncate\s+(?:table\s+)?{_NAMED})",
    re.IGNORECASE,
)


def book_writes(name: str, tree: ast.AST) -> list[str]:
    """Statements that add or change entries and postings where that is not allowed."""
    may_insert = name in LEDGER | COPIES
    found = []
    for line, insert in chain(_sql_writes(tree), _orm_writes(tree)):
        if not insert:
            found.append(f"{name}:{line}: nobody changes entries and postings")
        elif not may_insert:
            found.append(f"{name}:{line}: only the ledger adds entries and postings")
    return found


def sql_file_writes(name: str, text: str) -> list[str]:
    """The same in a file of SQL beside the code."""
    found = _CHANGE_SQL.search(text) or _INSERT_SQL.search(text)
    return [f"{name}: writes entries or postings"] if found else []


def commits(name: str, tree: ast.AST) -> list[str]:
    """Places that end a transaction by themselves."""
    if name in COMMITS:
        return []
    found = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            # begin(), which takes nothing, commits at the end of its block
            and (node.func.attr == "commit" or (node.func.attr == "begin" and not node.args))
        ):
            found.append(f"{name}:{node.lineno}: only core/desk.py commits")
    found += [
        f"{name}:{line}: only core/desk.py commits"
        for line, text in strings_in(tree)
        if re.fullmatch(r"\s*(commit|end)(\s+transaction)?\s*;?\s*|autocommit", text, re.IGNORECASE)
    ]
    return found


def _sql_writes(tree: ast.AST) -> Iterator[tuple[int, bool]]:
    for line, text in strings_in(tree):
        if _INSERT_SQL.search(text):
            yield line, True
        if _CHANGE_SQL.search(text):
            yield line, False


def _orm_writes(tree: ast.AST) -> Iterator[tuple[int, bool]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).split(".")
        verb, owner = called[-1], called[:-1]
        if verb in MODELS:
            yield node.lineno, True
        elif verb in {"insert", "update", "delete"}:
            # insert(Posting), insert(tables.Posting), Posting.__table__.insert()
            subject = {*owner} | ({*ast.unparse(node.args[0]).split(".")} if node.args else set())
            if subject & (MODELS | TABLES):
                yield node.lineno, verb == "insert"


FILES: Final = {name_of(path): path for path in python_files("bank")}


def test_only_the_ledger_writes_the_book() -> None:
    found = [*chain(*(book_writes(name, parse(path)) for name, path in FILES.items()))]
    for path in sorted((ROOT / "bank").rglob("*.sql")):
        found += sql_file_writes(name_of(path), path.read_text(encoding="utf-8"))
    assert found == []


def test_only_the_desk_commits() -> None:
    assert [*chain(*(commits(name, parse(path)) for name, path in FILES.items()))] == []


# The rules can fail.

INSERTS: Final = [
    "session.add(Posting(amount_minor=1))",
    "connection.execute(insert(JournalEntry), rows)",
    "connection.execute(insert(tables.Posting).values(x=1))",
    "connection.execute(Posting.__table__.insert(), rows)",
    "cursor.execute('INSERT INTO postings (id) VALUES (?)', row)",
    "cursor.execute('insert or ignore into entries values (1)')",
    "cursor.execute(f'INSERT INTO bank.postings ({columns}) VALUES (1)')",
]
CHANGES: Final = [
    "connection.execute(update(Posting).values(amount_minor=0))",
    "connection.execute(delete(tables.JournalEntry))",
    "cursor.execute('UPDATE postings SET amount_minor = 0')",
    "cursor.execute('UPDATE entries AS e SET narration = 1')",
    "cursor.execute('delete\\n from entries')",
    "cursor.execute('TRUNCATE TABLE postings')",
]


@pytest.mark.parametrize("code", INSERTS)
def test_an_entry_made_elsewhere_is_found(code: str) -> None:
    assert book_writes("bank/counters/cash.py", ast.parse(code))
    assert book_writes("bank/book/ledger.py", ast.parse(code)) == []


@pytest.mark.parametrize("code", CHANGES)
@pytest.mark.parametrize("name", ["bank/counters/cash.py", "bank/book/ledger.py", *COPIES])
def test_a_changed_entry_is_found_everywhere(name: str, code: str) -> None:
    assert book_writes(name, ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        '"""Nobody may update entries set in stone; INSERT INTO entries is the ledger\'s."""',
        "cursor.execute('INSERT INTO holds (entry_id) SELECT id FROM entries')",
        "cursor.execute('UPDATE balances SET booked = 1')",
        "connection.execute(insert(Balance).values(posting=Draft()))",
        "postings = select(Posting)",
    ],
)
def test_other_writing_is_left_alone(code: str) -> None:
    assert book_writes("bank/counters/cash.py", ast.parse(code)) == []


def test_a_file_of_sql_is_read_too() -> None:
    assert sql_file_writes("bank/night/a.sql", "WITH x AS (INSERT INTO postings SELECT 1) ...")
    assert sql_file_writes("bank/night/a.sql", "SELECT sum(amount_minor) FROM postings") == []


@pytest.mark.parametrize(
    "code",
    [
        "session.commit()",
        "tx.connection.connection.commit()",
        "with engine.begin() as connection:\n    pass",
        "connection.exec_driver_sql('COMMIT')",
        "engine.execution_options(isolation_level='AUTOCOMMIT')",
    ],
)
def test_a_commit_elsewhere_is_found(code: str) -> None:
    assert commits("bank/counters/cash.py", ast.parse(code))
    assert commits("bank/core/desk.py", ast.parse(code)) == []


def test_begin_without_commit_is_left_alone() -> None:
    assert commits("bank/core/db.py", ast.parse("c.exec_driver_sql('BEGIN IMMEDIATE')")) == []
