"""Choosing tests by the feature they show: pytest --feature A3.1 --feature A3.4."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --feature."""
    parser.addoption(
        "--feature",
        action="append",
        default=[],
        metavar="ID",
        help="run exactly the tests that show this feature of bank/FEATURES.md (repeatable)",
    )


def features_of(item: pytest.Item) -> set[str]:
    """The feature ids a test carries, on itself, its class or its module."""
    return {id_ for mark in item.iter_markers("feature") for id_ in mark.args}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the chosen features; an id that no test carries is an error."""
    chosen: set[str] = set(config.getoption("feature"))
    if not chosen:
        return
    carried = {id_ for item in items for id_ in features_of(item)}
    if unknown := sorted(chosen - carried):
        raise pytest.UsageError(f"no test shows the feature {', '.join(unknown)}")
    left_out = [item for item in items if not features_of(item) & chosen]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if features_of(item) & chosen]
