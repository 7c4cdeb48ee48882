"""The files of the house, as the rules read them."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SKIPPED: Final = {"__pycache__", "artifacts"}
WRITTEN: Final = {
    *("", ".py", ".md", ".sql", ".toml", ".txt", ".yml", ".yaml", ".sh", ".mako"),
    *(".css", ".js", ".html", ".json", ".csv", ".conf", ".svg"),
}
NOT_OURS: Final = {
    *(".git", ".venv", "__pycache__", "artifacts", "node_modules", ".make"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
}
MADE: Final = {"data/documents", "data/snapshots"}  # by the bank at run time


def python_files(*places: str, root: Path = ROOT) -> list[Path]:
    """The Python files in folders (or the files themselves) of the house, in order."""
    found: list[Path] = []
    for place in places:
        path = root / place
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [path for path in found if not SKIPPED & set(path.parts)]


def name_of(path: Path, root: Path = ROOT) -> str:
    """How a person calls the file: its path inside the house."""
    return path.relative_to(root).as_posix()


def module_of(path: Path, root: Path = ROOT) -> str:
    """How Python calls the file."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parse(path: Path) -> ast.Module:
    """The file's syntax tree; read once for all rules."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(tree: ast.AST, module: str = "") -> set[tuple[int, str]]:
    """Every module and every member a file imports, anywhere in it, with the line.

    `from bank.book import ledger` gives bank.book and bank.book.ledger: which of them is a module
    only the folder knows. Relative imports are resolved against `module`.
    """
    found: set[tuple[int, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(node.lineno, alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(module.split(".")[: -node.level]) if node.level else ""
            base = ".".join(part for part in (package, node.module) if part)
            found.add((node.lineno, base))
            found |= {(node.lineno, f"{base}.{alias.name}") for alias in node.names}
    return found


def packages(tree: ast.AST) -> set[tuple[int, str]]:
    """The outermost packages a file imports, with the line."""
    return {(line, name.split(".")[0]) for line, name in imported(tree)}


def strings_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every string except docstrings, with its line; {} stands for what an f-string fills in."""
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    parts = set()
    for node in ast.walk(tree):  # from the outside in, so an f-string comes before its parts
        if isinstance(node, ast.JoinedStr):
            parts |= {id(value) for value in node.values}
            yield (
                node.lineno,
                "".join(
                    str(value.value) if isinstance(value, ast.Constant) else "{}"
                    for value in node.values
                ),
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documents | parts
        ):
            yield node.lineno, node.value


def text_files(root: Path = ROOT) -> list[Path]:
    """Every file people wrote, in order: code, words, settings, scripts, tables."""
    found = []
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OURS and (here / name).relative_to(root).as_posix() not in MADE
        ]
        found += [  # in a second worktree, .git is a file of git's own
            here / name for name in names if Path(name).suffix in WRITTEN and name not in NOT_OURS
        ]
    return sorted(found)
