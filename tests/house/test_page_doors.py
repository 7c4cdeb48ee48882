"""A page is its menu row's page, draws itself again only by ui.live, and acts only guarded."""

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from bank.core.permissions import Permission
from pages.parts.menu import MENU, Entry
from tests.house.source import ROOT, name_of, parse, python_files
from tests.house.test_pages import PLAIN_CORE, _names_from_the_bank

FILES: Final = {name_of(path): parse(path) for path in python_files("pages", "Home.py")}
# Streamlit runs a fragment without Home.py: these two build the desk again in each run of one.
MAY_USE_FRAGMENTS: Final = {"pages/parts/ui.py", "pages/parts/lock.py"}
CALLBACKS: Final = {"on_click", "on_change", "on_select", "on_submit"}


def permission_of(tree: ast.Module) -> str | None:
    """The permission that a page's `ui.enter(Permission.X, ...)` asks for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "ui.enter" and node.args:
            return ast.unparse(node.args[0]).removeprefix("Permission.")
    return None


def raw_fragments(name: str, tree: ast.AST) -> list[str]:
    """Parts that draw themselves again without asking who sits there now."""
    if name in MAY_USE_FRAGMENTS:
        return []
    return [
        f"{name}:{node.lineno}: use ui.live instead of a fragment"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "fragment")
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "streamlit"
            and any(alias.name == "fragment" for alias in node.names)
        )
    ]


def unguarded_callbacks(name: str, tree: ast.Module) -> list[str]:
    """Callbacks that use the bank, or a desk built before, although nobody asked who clicks.

    Streamlit runs them before Home.py; `ui.guarded` gives them a fresh desk, or stops them.
    """
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    bank = dict(_names_from_the_bank(tree, ROOT))
    wrong = []
    for callback in _callbacks(tree):
        parts: list[ast.AST] = [callback]
        for node in ast.walk(callback):
            function = functions.get(node.id) if isinstance(node, ast.Name) else None
            if function is not None and not _is_guarded(function):
                parts.append(function)
        if any(_acts(part, bank) for part in parts):
            wrong.append(f"{name}:{callback.lineno}: decorate the callback with ui.guarded")
    return wrong


def _callbacks(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in CALLBACKS:
            yield node.value
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in CALLBACKS:
                    yield value


def _is_guarded(function: ast.FunctionDef) -> bool:
    return any("guarded" in ast.unparse(each) for each in function.decorator_list)


def _acts(part: ast.AST, bank: dict[str, str]) -> bool:
    """Whether code names a verb of the bank, or the page's own desk."""
    signatures = [node for node in ast.walk(part) if isinstance(node, ast.arguments)]
    own = {argument.arg for signature in signatures for argument in signature.args}
    for node in ast.walk(part):
        if isinstance(node, ast.Name) and node.id == "desk" and "desk" not in own:
            return True
        if isinstance(node, ast.Name) and node.id in bank:
            module, _, member = bank[node.id].rpartition(".")
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in bank:
            module, member = bank[ast.unparse(node.value)], node.attr
        else:
            continue
        floor, _, noun = module.removeprefix("bank.").partition(".")
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        is_plain = floor == "core" and noun in PLAIN_CORE
        if not is_plain and path.is_file() and member in _functions(path):
            return True
    return False


def _functions(path: Path) -> set[str]:
    return {node.name for node in parse(path).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.feature("A1.13", "A14.3")
@pytest.mark.parametrize("entry", MENU, ids=lambda entry: entry.file)
def test_a_page_asks_for_the_permission_of_its_menu_row(entry: Entry) -> None:
    asked = permission_of(FILES[f"pages/{entry.file}"])
    assert asked is not None
    assert Permission[asked] is entry.permission


def test_a_page_draws_itself_again_only_with_a_fresh_desk() -> None:
    assert [*chain(*(raw_fragments(name, tree) for name, tree in FILES.items()))] == []


def test_a_callback_that_acts_is_guarded() -> None:
    assert [*chain(*(unguarded_callbacks(name, tree) for name, tree in FILES.items()))] == []


# The rules can fail.


@pytest.mark.parametrize(
    "code",
    [
        "@st.fragment\ndef part(): ...",
        "@st.fragment(run_every=3)\ndef part(): ...",
        "from streamlit import fragment",
        "st.fragment(draw)()",
    ],
)
def test_a_raw_fragment_is_found(code: str) -> None:
    assert raw_fragments("pages/a/b.py", ast.parse(code))
    assert not raw_fragments("pages/parts/ui.py", ast.parse(code))


USES: Final = "from bank.people import sessions\nfrom bank.people.sessions import lock\n"


@pytest.mark.parametrize(
    "code",
    [
        "def end(): sessions.lock(who)\nst.button('End', on_click=end)",
        "def end(): sessions.lock(desk)\nst.button('End', on_click=end)",
        "def end(): show(desk)\nst.button('End', on_click=end)",
        "st.button('End', on_click=sessions.lock, args=(desk,))",
        "st.button('End', on_click=lock)",
        "st.button('End', on_click=lambda: lock(who))",
        "st.button('End', on_click=partial(lock, who))",
        "def end(): lock(who)\nKEPT = {'on_change': end}",
    ],
)
def test_an_unguarded_callback_is_found(code: str) -> None:
    assert unguarded_callbacks("pages/a/b.py", ast.parse(USES + code))


@pytest.mark.parametrize(
    "code",
    [
        "@ui.guarded(Permission.SESSION_KEEP)\ndef end(desk): sessions.lock(desk)\n"
        "st.button('End', on_click=end)",
        "def first(): st.session_state['page'] = 1\nst.text_input('Name', on_change=first)",
        "st.download_button('File', on_click='ignore')",
        "st.button('End', on_click=lambda: keep(1))",
    ],
)
def test_a_guarded_or_harmless_callback_is_free(code: str) -> None:
    assert unguarded_callbacks("pages/a/b.py", ast.parse(USES + code)) == []
