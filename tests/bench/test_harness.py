"""The harness: medians of alternating rounds, only results on stdout, a missed limit is noticed."""

import importlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import harness
from tests.bench.harness import Benchmark, Pair, Rounds, Workshop, bench

ROOT = Path(__file__).resolve().parents[2]


def declared(function: object, *, limit: float | None = 1.5, rounds: int = 5) -> Benchmark:
    registry: dict[str, Benchmark] = {}
    bench("a.b", limit=limit, rounds=rounds, registry=registry)(function)  # type: ignore[arg-type]
    return registry["a.b"]


def test_the_ratio_is_median_over_median() -> None:
    # A mean would be spoilt by the one slow round of each side; so would the first round.
    ours = iter([0.0, 3.0, 90.0, 3.0, 3.0, 3.0])
    theirs = iter([0.0, 2.0, 2.0, 2.0, 70.0, 2.0])
    result = harness.measure(declared(lambda shop: (lambda: next(ours), lambda: next(theirs))))
    assert (result.ours, result.reference, result.ratio) == (3.0, 2.0, 1.5)
    assert result.detail["ours_range"] == [3.0, 90.0]
    assert result.kept


def test_the_order_alternates_after_a_warm_up() -> None:
    calls: list[str] = []
    harness.measure(declared(lambda shop: (lambda: calls.append("o"), lambda: calls.append("r"))))
    assert "".join(calls) == "or" + "or" + "ro" + "or" + "ro" + "or"


def test_what_answers_no_number_is_timed() -> None:
    result = harness.measure(declared(lambda shop: (lambda: sum(range(200_000)), lambda: None)))
    assert result.ours is not None
    assert result.reference is not None
    assert result.ours > 10 * result.reference
    assert not result.kept


@pytest.mark.parametrize(("limit", "kept"), [(1.9, False), (2.0, True), (None, True)])
def test_without_a_reference_the_limit_is_on_ours(limit: float | None, kept: bool) -> None:
    result = harness.measure(declared(lambda shop: (lambda: 2.0, None), limit=limit))
    assert result.ratio is None
    assert result.kept is kept
    assert json.loads(result.line())["reference"] is None


def test_a_generator_measures_by_itself_and_cleans_up(tmp_path: Path) -> None:
    left: list[Path] = []

    def by_hand(shop: Workshop) -> Rounds:
        shop.callback(lambda: left.append(shop.tmp))
        shop.detail["postings"] = 1_000
        for number in range(shop.rounds):
            yield (4.0 if shop.ours_first(number) else 5.0), 2.0

    result = harness.measure(declared(by_hand, limit=2.0))
    assert result.ratio == 2.0
    assert result.detail["postings"] == 1_000
    [folder] = left
    assert not folder.exists()


def test_too_few_rounds_are_refused() -> None:
    def short(shop: Workshop) -> Rounds:
        yield from itertools.repeat((1.0, 1.0), 4)

    with pytest.raises(ValueError, match="4 rounds"):
        harness.measure(declared(short))
    with pytest.raises(ValueError, match="says little"):
        declared(short, rounds=4)


def test_a_reference_must_be_there_in_every_round() -> None:
    def patchy(shop: Workshop) -> Rounds:
        for number in range(shop.rounds):
            yield 1.0, (1.0 if number else None)

    with pytest.raises(ValueError, match="some rounds only"):
        harness.measure(declared(patchy))


def test_two_benchmarks_of_one_name_are_refused() -> None:
    registry: dict[str, Benchmark] = {}

    def pair(shop: Workshop) -> Pair:
        return (lambda: 1.0), None

    bench("a.b", limit=None, registry=registry)(pair)
    with pytest.raises(ValueError, match=r"two benchmarks are called a\.b"):
        bench("a.b", limit=None, registry=registry)


NAMES = ["ledger.postgres.single", "ledger.sqlite.batch", "ledger.sqlite.single", "page.journal"]


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        ("", NAMES),
        ("page.journal", NAMES[3:]),
        ("ledger.", NAMES[:3]),
        ("ledger.sqlite.", NAMES[1:3]),
    ],
)
def test_only_chooses(only: str, chosen: list[str]) -> None:
    assert harness.choose(NAMES, only) == chosen


@pytest.mark.parametrize("only", ["ledger", "ledger.sql", "journal", "."])
def test_only_never_chooses_by_half_a_word(only: str) -> None:
    with pytest.raises(LookupError, match="no benchmark is called"):
        harness.choose(NAMES, only)


PROGRAM = """
import os, subprocess, sys
from tests.bench import harness
from tests.bench.__main__ import main

def noisy(ratio):
    def made(shop):
        print("a library says hello")
        subprocess.run(["echo", "and so does its child"])
        return (lambda: ratio), (lambda: 1.0)
    return made

def broken(shop):
    raise RuntimeError("the database is not there")

harness.discover = lambda package: None
harness.bench("x.kept", limit=1.5)(noisy(1.2))
harness.bench("x.missed", limit=1.5)(noisy(1.6))
harness.bench("x.broken", limit=1.5)(broken)
sys.exit(main(sys.argv[1:]))
"""


def run(only: str, *, program: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program],
        cwd=ROOT,
        env=os.environ | {"ONLY": only},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("only", "code", "ratio"), [("x.kept", 0, 1.2), ("x.missed", 1, 1.6), ("x.broken", 1, None)]
)
def test_stdout_holds_only_results(only: str, code: int, ratio: float | None) -> None:
    done = run(only, program=("-c", PROGRAM))
    assert done.returncode == code, done.stderr
    [line] = done.stdout.splitlines()
    result = json.loads(line)
    assert list(result) == ["name", "ours", "reference", "ratio", "limit", "unit", "detail"]
    assert (result["name"], result["ratio"]) == (only, ratio)
    if only == "x.broken":
        assert result["detail"]["error"] == "RuntimeError: the database is not there"
    else:
        assert "and so does its child" in done.stderr


def test_a_name_that_is_none_is_an_error() -> None:
    done = run("x.", program=("-m", "tests.bench", "nothing.of.the.kind"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no benchmark is called 'nothing.of.the.kind'" in done.stderr


def test_modules_that_declare_one_are_found_and_programs_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "found_benches"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "stock.py").write_text("raise SystemExit('a program was imported')\n")
    (package / "ledger.py").write_text(
        "from tests.bench.harness import bench\n\n\n"
        "@bench('found.by.discovery', limit=None)\ndef it(shop):\n    return (lambda: 1.0), None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found_benches = importlib.import_module("found_benches")
    try:
        harness.discover(found_benches)
        assert "found.by.discovery" in harness.REGISTRY
    finally:
        harness.REGISTRY.pop("found.by.discovery", None)
