"""What README says about the tree, the commands and the settings is so."""

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.house.source import ROOT, python_files

README: Final = ROOT / "README.md"
FOLDERS: Final = ("bank", "pages", "reports", "data", "tests")
FOR_TESTS: Final = {"BANK_TEST_POSTGRES_URL", "BANK_SOAK"}
"""May stand in README's table beside the settings of the bank."""
CELL_BARS: Final = 4
"""Bars of a row: name, default, meaning."""


class Setting(NamedTuple):
    """A row of README's table of settings."""

    name: str
    line: str


@pytest.fixture(scope="module")
def readme() -> str:
    """README's text; there may be none until there is something to start."""
    if not README.exists() and not (ROOT / "bank" / "__main__.py").exists():
        pytest.skip("there is no command line to describe yet")
    return README.read_text(encoding="utf-8")


def tree_in(text: str) -> list[str]:
    """The paths of the tree README draws: the fenced block with a line that begins with `bank/`.

    Two spaces per level; names come first, a gap of two spaces ends them.
    """
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    drawn = [block for block in blocks if re.search(r"^bank/", block, re.MULTILINE)]
    if not drawn:
        return []
    paths: list[str] = []
    above: list[str] = []
    for line in drawn[0].splitlines():
        depth, odd = divmod(len(line) - len(line.lstrip()), 2)
        if not line.strip() or odd or depth > len(above):
            continue  # the rest of a description
        names = re.split(r"\s{2,}", line.strip())[0].split()
        folder = "".join(above[:depth])
        paths += [folder + name for name in names]
        above = above[:depth] + ([names[-1]] if names[-1].endswith("/") else [])
    return paths


def wrong_tree(paths: list[str], root: Path) -> list[str]:
    """What is drawn and not there, or there and not drawn."""
    wrong = [f"{path} is not there" for path in paths if not any(_found(root, path))]
    floors = {f"bank/{path.parent.name}/" for path in (root / "bank").glob("*/__init__.py")}
    folders = {f"{name}/" for name in FOLDERS if (root / name).is_dir()}
    return wrong + [f"{path} is not drawn" for path in sorted((floors | folders) - set(paths))]


def wrong_commands(text: str, commands: set[str]) -> list[str]:
    """Commands README names that do not exist, and those it does not name."""
    named: set[str] = set()
    wrong = []
    for words in re.findall(r"python -m bank((?: +[a-z][a-z-]*)+)", text):
        parts = words.split()
        beginnings = {" ".join(parts[:end]) for end in range(1, len(parts) + 1)}
        if not beginnings & commands:
            wrong.append(f"python -m bank {' '.join(parts)}: no such command")
        named |= beginnings & commands
    return wrong + [f"python -m bank {name}: not in README" for name in sorted(commands - named)]


def wrong_targets(text: str, makefile: str) -> list[str]:
    """`make` words README uses that the Makefile does not know, and the first ones left out."""
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:`|^\s*(?:\$ )?)make ([a-z]+)", text, re.MULTILINE))
    return [
        *(f"make {name}: no such target" for name in sorted(named - targets)),
        *(f"make {name}: not in README" for name in sorted({"run", "test"} - named)),
    ]


def settings_in(text: str) -> list[Setting]:
    """The rows of the table of settings."""
    rows = re.findall(r"^\|\s*`(BANK_[A-Z0-9_]+)`.*$", text, re.MULTILINE)
    lines = re.findall(r"^\|\s*`BANK_[A-Z0-9_]+`.*$", text, re.MULTILINE)
    return [Setting(name, line) for name, line in zip(rows, lines, strict=True)]


def wrong_settings(rows: list[Setting], described: Mapping[str, str]) -> list[str]:
    """Settings without a row, rows without a setting, and rows that say something else."""
    shown = {row.name: row.line for row in rows}
    return [
        *(f"{row.name}: not three cells" for row in rows if row.line.count("|") != CELL_BARS),
        *(f"{name} has no row" for name in sorted(described.keys() - shown.keys())),
        *(f"{name} is no setting" for name in sorted(shown.keys() - described.keys() - FOR_TESTS)),
        *(
            f"{name}: README does not say: {sentence}"
            for name, sentence in sorted(described.items())
            if name in shown and sentence not in shown[name]
        ),
    ]


def _found(root: Path, path: str) -> Iterator[Path]:
    for found in root.glob(path.rstrip("/")):
        if found.is_dir() == path.endswith("/"):
            yield found


def _commands_of(command: Any, path: str = "") -> set[str]:
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    if not inner:
        return {path}
    return {
        name
        for word, each in inner.items()
        if not each.hidden
        for name in _commands_of(each, f"{path} {word}".strip())
    }


def _commands() -> set[str]:
    typer = importlib.import_module("typer")
    main = importlib.import_module("bank.__main__")
    [cli] = [
        value
        for name, value in vars(main).items()
        if isinstance(value, typer.Typer) and name in {"app", "cli", "commands"}
    ]
    return _commands_of(typer.main.get_command(cli))


def _settings() -> dict[str, str]:
    settings: Any = importlib.import_module("bank.core.config").Settings
    prefix = settings.model_config["env_prefix"]
    return {
        f"{prefix}{name}".upper(): field.description or ""
        for name, field in settings.model_fields.items()
    }


@pytest.mark.feature("A17.5")
def test_the_tree_is_so(readme: str) -> None:
    paths = tree_in(readme)
    assert paths, "README draws the tree in a fenced block"
    assert wrong_tree(paths, ROOT) == []


def test_the_commands_are_so(readme: str) -> None:
    assert wrong_commands(readme, _commands()) == []
    assert wrong_targets(readme, (ROOT / "Makefile").read_text(encoding="utf-8")) == []


def test_the_settings_are_so(readme: str) -> None:
    assert wrong_settings(settings_in(readme), _settings()) == []


def test_the_code_reads_no_other_setting(readme: str) -> None:
    used = {
        name
        for path in python_files("bank")
        for name in re.findall(r"\bBANK_[A-Z0-9_]+\b", path.read_text(encoding="utf-8"))
    }
    assert used - {row.name for row in settings_in(readme)} == set()


# The rules can fail.

SMALL: Final = """
```text
Home.py Makefile     the front door
bank/                what the bank does
  core/              mechanism
                     and more of it
  book/              ledger
data/
  seed/*.csv         branches
tests/
```
Start it with `python -m bank serve`, fill it with `python -m bank import DIR`.

    make run
    make test

| name | default | what |
|---|---|---|
| `BANK_PORT` | 8501 | Port. |
"""


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    for name in ("Home.py", "Makefile", "bank/core/__init__.py", "bank/book/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "data" / "seed").mkdir(parents=True)
    (tmp_path / "data" / "seed" / "chart.csv").touch()
    (tmp_path / "tests").mkdir()
    return tmp_path


def test_a_tree_is_read_and_compared(small_house: Path) -> None:
    paths = tree_in(SMALL)
    assert paths == [
        *("Home.py", "Makefile", "bank/", "bank/core/", "bank/book/"),
        *("data/", "data/seed/*.csv", "tests/"),
    ]
    assert wrong_tree(paths, small_house) == []
    (small_house / "Home.py").unlink()
    (small_house / "data" / "seed" / "chart.csv").unlink()
    (small_house / "bank" / "night").mkdir()
    (small_house / "bank" / "night" / "__init__.py").touch()
    (small_house / "pages").mkdir()
    assert wrong_tree(paths, small_house) == [
        "Home.py is not there",
        "data/seed/*.csv is not there",
        "bank/night/ is not drawn",
        "pages/ is not drawn",
    ]
    assert tree_in("no tree at all") == []


def test_commands_are_compared_both_ways() -> None:
    assert wrong_commands(SMALL, {"serve", "import"}) == []
    assert wrong_commands(SMALL, {"serve", "staff add"}) == [
        "python -m bank import: no such command",
        "python -m bank staff add: not in README",
    ]
    assert wrong_targets(SMALL, "run:\ntest: run\n") == []
    assert wrong_targets("Type `make coffee` or `make run`.", "run:\n") == [
        "make coffee: no such target",
        "make test: not in README",
    ]


def test_settings_are_compared_both_ways() -> None:
    rows = settings_in(SMALL)
    assert wrong_settings(rows, {"BANK_PORT": "Port."}) == []
    assert wrong_settings(rows, {"BANK_PORT": "Another."}) == [
        "BANK_PORT: README does not say: Another."
    ]
    assert wrong_settings(rows, {"BANK_HOST": "Address."}) == [
        "BANK_HOST has no row",
        "BANK_PORT is no setting",
    ]
    joined = settings_in("| `BANK_PORT` | 8501 | Port. || `BANK_HOST` | - | Address. |")
    assert wrong_settings(joined, {"BANK_PORT": "Port."}) == ["BANK_PORT: not three cells"]
