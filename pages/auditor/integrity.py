"""Integrity: the checks that prove the books, when they last ran, and what to do when one fails."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from bank.core.permissions import Permission
from bank.night import integrity
from bank.night.integrity import CheckResult, CheckState
from pages.parts import tables, ui, words
from pages.parts.tables import Column, Kind, column

desk = ui.enter(Permission.INTEGRITY_VIEW, title="Integrity")

FOUND = "integrity_found"  # results of this session by check: the trail keeps counts, not rows
COLUMNS: list[Column[CheckState]] = [
    column("Check", "title", key=True),
    column("State", "state", Kind.STATE, key=True),
    column("Rows", "rows", Kind.NUMBER, help="How many rows break the check. None should."),
    column("Last run", "run_at", Kind.MOMENT),
    column("By", "run_by"),
    column("Seconds", lambda check: "" if check.seconds is None else f"{check.seconds:.2f}"),
]

found: dict[str, CheckResult] = st.session_state.setdefault(FOUND, {})


def run_all() -> None:
    """Every check in turn, with its name while it runs."""
    with ui.attempt():
        bar = st.progress(0.0, "Starting")

        def told(done: int, of: int, title: str) -> None:
            bar.progress(done / of, f"{done} of {of}: {title}")

        results = integrity.run_checks(desk, told)
        found.update({result.name: result for result in results})
        failed = sum(not result.passed for result in results)
        ui.flash(
            f"All {len(results)} checks passed."
            if not failed
            else f"{words.counted(failed, 'check')} of {len(results)} failed. Open each below."
        )
        st.rerun()


def run_one(check: CheckState) -> None:
    """One check again."""
    with ui.attempt():
        with st.spinner(f"Running {check.title}"):
            found[check.name] = integrity.run_check(desk, check.name)
        st.rerun()


def details(check: CheckState) -> None:
    """What must hold, what was found, and what to do next."""
    with st.container(border=True):
        st.header(check.title)
        st.markdown(words.badge(check.state))
        st.markdown(words.plain(check.sentence))
        if check.state == "failed":
            st.warning(words.plain(check.next_step), title="Next step", icon=":material/build:")
        if st.button("Run this check", key=f"integrity_run_{check.name}"):
            run_one(check)
        result = found.get(check.name)
        if result is not None and result.sample:
            sample(result)
        elif check.state == "failed":
            st.caption("Run it again to see the rows.")


def sample(result: CheckResult) -> None:
    """Some of the rows that break a check, as the database has them."""
    columns = [_as_found(name, key=at < 2) for at, name in enumerate(result.sample[0])]
    tables.show(
        result.sample,
        columns,
        key=f"integrity_rows_{result.name}",
        of=result.rows,
        file_name=f"integrity-{result.name}.csv",
    )


def _as_found(name: str, *, key: bool) -> Column[Mapping[str, Any]]:
    def text(row: Mapping[str, Any]) -> str:
        return "" if row[name] is None else str(row[name])

    return column(words.sentence(name), text, key=key)


with ui.attempt():
    checks = integrity.checks(desk)
    counts = {
        state: sum(check.state == state for check in checks)
        for state in ("passed", "failed", "not run")
    }
    one, two, three = st.columns(3)
    one.metric("Passed", counts["passed"], border=True)
    two.metric("Failed", counts["failed"], border=True)
    three.metric("Not run yet", counts["not run"], border=True)
    if st.button("Run all checks", type="primary", key="integrity_run_all"):
        run_all()
    chosen = tables.choose(
        checks,
        COLUMNS,
        key="integrity",
        id_of=lambda check: check.name,
        prompt="Choose a check",
        file_name="integrity.csv",
    )
    if chosen is None:
        st.caption("Choose a check to see what it proves and what it found.")
    else:
        details(chosen)
