"""What keeps every file readable: its length, its docstring, and habits that hide mistakes."""

import ast
import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from tests.house.source import name_of, parse, python_files, text_files

LONGEST: Final = 400
LATER_WORDS: Final = [word[::-1] for word in ("ODOT", "EMXIF")]  # backwards: this file counts too
LATER: Final = re.compile(rf"\b(?:{'|'.join(LATER_WORDS)})\b")
MACHINE: Final = re.compile(r"(?<![\w./{}$*?~-])/(?:work|root|home/\w+|Users/\w+)(?![\w-])")
MAY_CATCH_ALL: Final[dict[str, str]] = {
    # file -> why a bug must not stop it there; it logs what it caught
}


def too_long(name: str, text: str) -> list[str]:
    """A file that does not fit in the head."""
    lines = len(text.splitlines())
    return [f"{name}: {lines} lines, at most {LONGEST}"] if lines > LONGEST else []


def without_docstring(name: str, tree: ast.Module) -> list[str]:
    """A module that does not say what it is for."""
    return [] if ast.get_docstring(tree) else [f"{name}: says nothing about itself"]


def raw_html(name: str, tree: ast.AST) -> list[str]:
    """HTML put together by hand, where a customer's name becomes a script."""
    return [
        f"{name}:{node.value.lineno}: unsafe_allow_html"
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "unsafe_allow_html"
    ]


def catches_all(name: str, tree: ast.AST) -> list[str]:
    """A handler that swallows bugs together with what it expected."""
    if name in MAY_CATCH_ALL:
        return []
    return [
        f"{name}:{node.lineno}: name the exception you expect"
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or _names(node.type) & {"Exception", "BaseException"})
        # Cleaning up and passing it on hides nothing.
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]


def sleeps(name: str, tree: ast.AST) -> list[str]:
    """A test that waits for time to pass instead of for what it needs."""
    return [
        f"{name}:{node.lineno}: wait for the event (tests/support/waiting.py)"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"sleep", "wait_for_timeout"})
        or (isinstance(node, ast.ImportFrom) and "sleep" in {alias.name for alias in node.names})
    ]


def put_off(name: str, text: str) -> list[str]:
    """A note to do something later, which nobody reads."""
    return _lines(name, text, LATER, "do it or open an issue")


def machine_paths(name: str, text: str) -> list[str]:
    """A path that exists on one machine only."""
    return _lines(name, text, MACHINE, "a path of one machine")


def _names(node: ast.expr) -> set[str]:
    each = node.elts if isinstance(node, ast.Tuple) else [node]
    return {ast.unparse(one).rpartition(".")[2] for one in each}


def _lines(name: str, text: str, pattern: re.Pattern[str], why: str) -> list[str]:
    return [
        f"{name}:{number}: {why}: {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


TreeRule = Callable[[str, ast.Module], list[str]]
BANK: Final = ("bank",)
DRAWN: Final = ("bank", "pages", "Home.py")


@pytest.mark.parametrize(
    ("rule", "places"),
    [
        (without_docstring, BANK),
        (raw_html, DRAWN),
        (catches_all, DRAWN),
        (sleeps, ("tests",)),
    ],
)
def test_the_code_keeps_the_habits(rule: TreeRule, places: tuple[str, ...]) -> None:
    files = [path for path in python_files(*places) if path.is_file()]
    assert [*chain(*(rule(name_of(path), parse(path)) for path in files))] == []


def test_a_file_fits_in_the_head() -> None:
    files = [path for path in python_files(*DRAWN) if path.is_file()]
    texts = ((name_of(path), path.read_text(encoding="utf-8")) for path in files)
    assert [*chain(*(too_long(name, text) for name, text in texts))] == []


@pytest.mark.parametrize("rule", [put_off, machine_paths])
def test_the_words_keep_the_habits(rule: Callable[[str, str], list[str]]) -> None:
    texts = ((name_of(path), path.read_text(encoding="utf-8")) for path in text_files())
    assert [*chain(*(rule(name, text) for name, text in texts))] == []


def test_there_is_something_to_read() -> None:
    names = {name_of(path) for path in text_files()}
    assert {"Makefile", "pyproject.toml", ".ci/run", "tests/house/test_style.py"} <= names


# The rules can fail.


def test_a_long_file_is_found() -> None:
    assert too_long("bank/a.py", "x\n" * 401)
    assert not too_long("bank/a.py", "x\n" * 400)


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (without_docstring, "x = 1", '"""What it is for."""'),
        (without_docstring, "", '"""What it is for."""\nx = 1'),
        (raw_html, "st.markdown(x, unsafe_allow_html=True)", "st.markdown(x)"),
        (catches_all, "try: x()\nexcept: pass", "try: x()\nexcept ValueError: pass"),
        (catches_all, "try: x()\nexcept Exception as e: log(e)", "try: x()\nfinally: y()"),
        (
            catches_all,
            "try: x()\nexcept (KeyError, BaseException): raise Other from None",
            "try: x()\nexcept BaseException:\n    undo()\n    raise",
        ),
        (sleeps, "time.sleep(1)", "waiting.wait_until(ready)"),
        (sleeps, "from time import sleep", "from time import monotonic"),
        (sleeps, "page.wait_for_timeout(500)", "page.wait_for_selector('h1')"),
    ],
)
def test_a_bad_habit_is_found(rule: TreeRule, bad: str, good: str) -> None:
    assert rule("bank/a.py", ast.parse(bad))
    assert rule("bank/a.py", ast.parse(good)) == []


@pytest.mark.parametrize("word", LATER_WORDS)
def test_a_note_for_later_is_found(word: str) -> None:
    assert put_off("a.py", f"# {word}: later")
    assert put_off("a.py", f"# {word.lower()} and MASTODON") == []


@pytest.mark.parametrize("place", ["work/main", "root", "home/asha/bank", "Users/asha"])
def test_a_path_of_one_machine_is_found(place: str) -> None:
    assert machine_paths("a.py", f'DATA = "/{place}"')
    assert (
        machine_paths("a.md", f"../{place} pages/customer/{place} https://x.example/{place}") == []
    )


def test_an_ordinary_path_is_left_alone(tmp_path: Path) -> None:
    assert machine_paths("a.py", "/healthz /usr/bin/chromium /workers /home") == []
