"""`python -m bank import` and `export journal`, as a person types them."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.bank.test_export_formats import run_tool
from tests.bank.test_import_books import FIGURES, SLICE, Books, books
from tests.support.server import run_bank

__all__ = ["books"]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"BANK_DATA_DIR": str(tmp_path / "data"), "LC_ALL": "C", "PYTHONUTF8": "0"}


def figures(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.skipif(not SLICE.exists(), reason="the slice of the real bank is not here")
def test_the_slice_from_import_to_the_tools(env: dict[str, str], tmp_path: Path) -> None:
    expected = {
        "entries": 998, "accounts": 20, "new": 998, "rejected": 0, "balance_differences": 45,
    }  # fmt: skip
    first = run_bank("import", str(SLICE), env=env)
    assert (first.returncode, figures(first)) == (0, expected)
    assert first.stdout.count("entries.csv line") == 45
    assert "Accounts that went below their limit: 5" in first.stdout
    second = run_bank("import", str(SLICE), env=env)
    assert (second.returncode, figures(second)) == (0, expected | {"new": 0})

    verified = run_bank("verify", env=env)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert all(line.startswith("ok ") for line in verified.stdout.splitlines())

    for fmt in ("hledger", "beancount"):
        exported = run_bank("export", "journal", "--format", fmt, env=env)
        assert run_tool(fmt, exported.stdout, tmp_path).returncode == 0
        altered = exported.stdout.replace("-15.00 CZK", "-15.10 CZK").replace(
            " 15.00 CZK", " 15.10 CZK"
        )
        assert run_tool(fmt, altered, tmp_path).returncode != 0


def test_make_run_serves_a_bank_that_was_imported(env: dict[str, str], books: Books) -> None:
    """`make run` calls `demo` and then `serve`: the first must not stop the second."""
    assert run_bank("import", str(books.write()), env=env).returncode == 0
    told = run_bank("demo", env=env)
    assert (told.returncode, told.stdout) == (0, "")
    assert "This database holds a real bank; no demo is made." in told.stderr
    again = run_bank("import", str(books.folder), env=env)
    assert figures(again) == FIGURES | {"new": 0}  # nothing came in beside the books
    verified = run_bank("verify", env=env)
    assert verified.returncode == 0


def test_progress_is_on_stderr_and_figures_on_stdout(env: dict[str, str], books: Books) -> None:
    done = run_bank("import", str(books.write()), env=env)
    assert (done.returncode, figures(done)) == (0, FIGURES)
    assert "6/6" in done.stderr
    assert "6/6" not in done.stdout


def test_strict_and_dry_run(env: dict[str, str], books: Books, tmp_path: Path) -> None:
    books.entries.append("x,1001,2025-01-05,1,gift,,")
    bad = tmp_path / "bad.csv"
    folder = str(books.write())
    strict = run_bank("import", folder, "--strict", "--errors", str(bad), env=env)
    assert (strict.returncode, figures(strict)["new"]) == (1, 0)
    assert "Refused: Rows are wrong" in strict.stderr
    assert "gift" in bad.read_text(encoding="utf-8")
    dry = run_bank("import", folder, "--dry-run", env=env)
    assert (dry.returncode, figures(dry)["new"]) == (0, 6)
    real = run_bank("import", folder, env=env)
    assert (real.returncode, figures(real)) == (0, FIGURES | {"rejected": 1})


def test_a_wrong_header_and_a_wrong_format_are_told(env: dict[str, str], books: Books) -> None:
    books.write()
    (books.folder / "accounts.csv").write_text("number\n", encoding="utf-8")
    done = run_bank("import", str(books.folder), env=env)
    assert done.returncode == 1
    assert "accounts.csv lacks the column account_number" in done.stderr
    assert "Traceback" not in done.stderr
    export = run_bank("export", "journal", "--format", "xlsx", env=env)
    assert (export.returncode, export.stdout) == (1, "")
    assert "hledger, beancount or csv" in export.stderr


def test_an_export_into_a_file_is_whole_or_not_there(
    env: dict[str, str], books: Books, tmp_path: Path
) -> None:
    books.entries.append('n,1001,2025-02-02,1,cash,"₹ and 😀",')
    run_bank("import", str(books.write()), env=env)
    file = tmp_path / "journal.csv"
    done = run_bank("export", "journal", "--format", "csv", "--output", str(file), env=env)
    assert (done.returncode, done.stdout) == (0, "")
    assert "7 entries" in done.stderr
    assert "₹ and 😀" in file.read_text(encoding="utf-8")
    assert not file.with_name("journal.csv.part").exists()


def test_an_export_that_fails_leaves_nothing_and_is_told(
    env: dict[str, str], books: Books, tmp_path: Path
) -> None:
    run_bank("import", str(books.write()), env=env)
    (tmp_path / "folder").mkdir()
    (tmp_path / "kept.txt").write_text("as it was", encoding="utf-8")
    for fmt, name, said in (
        ("xlsx", "x", "hledger, beancount or csv"),
        ("xlsx", "kept.txt", "hledger, beancount or csv"),
        ("csv", "nowhere/x.csv", "No such file or directory"),
        ("csv", "folder", "directory"),
        ("csv", "kept.txt/x.csv", "Not a directory"),
    ):
        output = tmp_path / name
        before = sorted(tmp_path.rglob("*"))
        done = run_bank("export", "journal", "--format", fmt, "--output", str(output), env=env)
        assert (done.returncode, done.stdout) == (1, ""), name
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        # The database's own files come and go with the process.
        left = {path for path in tmp_path.rglob("*") if tmp_path / "data" not in path.parents}
        assert left <= set(before)
    assert (tmp_path / "kept.txt").read_text(encoding="utf-8") == "as it was"
