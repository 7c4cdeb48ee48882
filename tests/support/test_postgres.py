"""The PostgreSQL of the tests is durable, and its databases do not know each other."""

from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, exc, text

from tests.support.postgres import fresh_database, template_database


def answer(url: str, statement: str) -> object:
    """Run one statement, committed, and answer its first value if it has any."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


@pytest.mark.parametrize("setting", ["fsync", "synchronous_commit", "full_page_writes"])
def test_durability_is_not_traded_for_speed(postgres_url: str, setting: str) -> None:
    assert answer(postgres_url, f"SHOW {setting}") == "on"


def test_each_database_is_its_own(postgres_url: str) -> None:
    answer(postgres_url, "CREATE TABLE notes (line text)")
    with fresh_database() as other:
        with pytest.raises(exc.ProgrammingError, match="notes"):
            answer(other, "SELECT count(*) FROM notes")
    with pytest.raises(exc.OperationalError, match="does not exist"):
        answer(other, "SELECT 1")


def test_a_template_is_built_once_and_copied_often(postgres_server: str) -> None:
    built: list[str] = []

    def build(url: str) -> None:
        built.append(url)
        answer(url, "CREATE TABLE notes (line text)")

    name = template_database(f"notes {id(built)}", build)
    assert template_database(f"notes {id(built)}", build) == name
    assert len(built) == 1
    for _ in range(2):
        with fresh_database(name) as url:
            answer(url, "INSERT INTO notes VALUES ('mine')")
            assert answer(url, "SELECT count(*) FROM notes") == 1


def test_a_build_that_fails_leaves_no_template(postgres_server: str) -> None:
    def fail(url: str) -> None:
        answer(url, "CREATE TABLE half_done (line text)")
        raise RuntimeError("the migration stopped")

    def succeed(url: str) -> None:
        answer(url, "CREATE TABLE done (line text)")

    key = f"failing {id(fail)}"
    with pytest.raises(RuntimeError, match="stopped"):
        template_database(key, fail)
    with fresh_database(template_database(key, succeed)) as url:
        assert answer(url, "SELECT to_regclass('half_done')") is None
        assert answer(url, "SELECT to_regclass('done')::text") == "done"


def test_a_database_is_dropped_under_an_open_connection(postgres_server: str) -> None:
    with fresh_database() as url:
        engine = create_engine(url)
        open_connection: Callable[..., object] = engine.connect().execute
        open_connection(text("SELECT 1"))
    with pytest.raises(exc.OperationalError):
        open_connection(text("SELECT 1"))
    engine.dispose()
