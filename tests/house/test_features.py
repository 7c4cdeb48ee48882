"""Every feature has a test that shows it, and every test that claims a feature names a real one."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.house.source import ROOT, parse, python_files

TABLE: Final = ROOT / "bank" / "FEATURES.md"
COLUMNS: Final = ["id", "sentence", "page", "verb"]
ID: Final = re.compile(r"[A-E]\d+(\.\d+)?")
DASHES: Final = {"", "-", "—", "–"}


class Feature(NamedTuple):
    """A row of bank/FEATURES.md."""

    id: str
    sentence: str
    page: str
    verb: str


def features_in(text: str) -> list[Feature]:
    """The rows of the table, refusing one that does not have its four columns."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.lstrip().startswith("|")
    ]
    header, rule, *body = rows
    assert header == COLUMNS, f"the columns are {COLUMNS}, not {header}"
    assert all(set(cell) <= set("-: ") for cell in rule), "a rule stands below the header"
    for row in body:
        assert len(row) == len(COLUMNS), f"not four cells: {row}"
        assert ID.fullmatch(row[0]), f"not a feature id: {row[0]!r}"
        assert row[1], f"{row[0]} says nothing"
    return [Feature(*row) for row in body]


def marks_in(tree: ast.AST) -> list[str]:
    """The ids of every pytest.mark.feature(...) in a file."""
    marks = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("mark.feature"):
            assert any(
                isinstance(call, ast.Call) and call.func is node and call.args
                for call in ast.walk(tree)
            ), f"line {node.lineno}: a feature mark names its feature"
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.feature"):
            for argument in node.args:
                assert isinstance(argument, ast.Constant), (
                    f"line {node.lineno}: an id is written out, so that one can search for it"
                )
                marks.append(str(argument.value))
    return marks


def differences(features: Iterable[Feature], marks: Iterable[str]) -> list[str]:
    """What is in the table and not in the tests, or the other way round."""
    rows = [feature.id for feature in features]
    marked = set(marks)
    return [
        *(f"{id_} has two rows" for id_ in sorted({id_ for id_ in rows if rows.count(id_) > 1})),
        *(f"{id_} has a row and no test" for id_ in rows if id_ not in marked),
        *(f"{id_} has a test and no row" for id_ in sorted(marked - set(rows))),
    ]


def missing_pages(features: Iterable[Feature], pages: Path) -> list[str]:
    """Rows whose page is no file below pages/."""
    return [
        f"{feature.id}: no page {page}"
        for feature in features
        for page in re.split(r",\s*", feature.page.replace("`", ""))
        if page not in DASHES
        and not (pages / page.removeprefix("pages/")).with_suffix(".py").is_file()
    ]


def test_each_feature_has_a_test_and_each_mark_a_row() -> None:
    marks = [id_ for path in python_files("tests") for id_ in marks_in(parse(path))]
    assert differences(features_in(TABLE.read_text(encoding="utf-8")), marks) == []


def test_each_feature_names_a_page_that_exists() -> None:
    assert missing_pages(features_in(TABLE.read_text(encoding="utf-8")), ROOT / "pages") == []


# The rules can fail.

HEADER: Final = "| id | sentence | page | verb |\n|---|---|---|---|\n"


def test_a_row_without_test_and_a_mark_without_row_are_found() -> None:
    features = features_in(HEADER + "| A3.1 | Pays in cash. | cashier/counter.py | cash.deposit |")
    code = "@pytest.mark.feature('A3.2', 'A3.4')\ndef test_it(): ..."
    assert differences(features, marks_in(ast.parse(code))) == [
        "A3.1 has a row and no test",
        "A3.2 has a test and no row",
        "A3.4 has a test and no row",
    ]
    assert differences([*features, *features], ["A3.1"]) == ["A3.1 has two rows"]


@pytest.mark.parametrize(
    "row", ["| A3.1 | Pays in. | here |", "| nine | Pays in. | - | - |", "| A3.1 | | - | - |"]
)
def test_a_bad_row_is_refused(row: str) -> None:
    with pytest.raises(AssertionError):
        features_in(HEADER + row)


@pytest.mark.parametrize(
    "code", ["pytestmark = pytest.mark.feature", "pytestmark = pytest.mark.feature(THE_ID)"]
)
def test_a_mark_that_names_nothing_is_refused(code: str) -> None:
    with pytest.raises(AssertionError):
        marks_in(ast.parse(code))


def test_a_page_that_does_not_exist_is_found(tmp_path: Path) -> None:
    (tmp_path / "cashier").mkdir()
    (tmp_path / "cashier" / "counter.py").touch()
    rows = "| A3.1 | In. | `cashier/counter.py`, cashier/gone.py | - |\n| A3.2 | Out. | - | - |"
    assert missing_pages(features_in(HEADER + rows), tmp_path) == ["A3.1: no page cashier/gone.py"]


def test_the_option_runs_exactly_the_tests_of_the_chosen_features(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini("[pytest]\nmarkers = feature(*ids): the features it shows")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.feature("A3.1")
        def test_in(): ...

        @pytest.mark.feature("A3.2", "A3.4")
        def test_out(): ...

        def test_other(): ...
        """
    )
    choose = ("-p", "tests.support.features", "-p", "no:randomly", "--feature")
    pytester.runpytest(*choose, "A3.1").assert_outcomes(passed=1, deselected=2)
    pytester.runpytest(*choose, "A3.1", "--feature", "A3.4").assert_outcomes(passed=2, deselected=1)
    refused = pytester.runpytest(*choose, "A3.1", "--feature", "A9.9")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*no test shows the feature A9.9*"])
