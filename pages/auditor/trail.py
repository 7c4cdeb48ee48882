"""The trail: who did what, when and from where, with what was before and after."""

from datetime import timedelta

import streamlit as st

from bank.core.audit import Outcome
from bank.core.clock import in_india
from bank.core.permissions import Permission, Role
from bank.office import trail
from bank.office.trail import Record, Searched
from pages.parts import forms, tables, ui, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.TRAIL_VIEW, title="Trail")

OLDER = "trail_older"
FIELDS = ("actor", "outcome", "verb", "role", "about")
OUTCOMES = {
    Outcome.DONE.value: "Done",
    Outcome.REFUSED.value: "Refused",
    Outcome.READ.value: "Read",
    Outcome.WAITING.value: "Waiting",
}
COLUMNS = [
    column("When", "at", Kind.MOMENT, key=True),
    column("Who", "actor_name", key=True),
    column("Did what", "sentence"),
    column("Outcome", "outcome", Kind.STATE),
    column("To what", "about"),
    column("From", "from_where"),
]


def from_the_start() -> None:
    """Another search begins with the newest record."""
    st.session_state[OLDER] = []


def searched() -> Searched:
    """What the auditor looks for."""
    today = in_india(desk.bank.clock.now()).date()  # the days of the search are India's
    in_use = any(st.session_state.get(f"trail_{name}") for name in FIELDS)
    with st.expander("Search", expanded=in_use, icon=":material/search:"):
        first, second, third = st.columns(3)
        with first:
            days = forms.days_input(
                "Days",
                today - timedelta(days=30),
                today,
                last=today,
                key="trail_days",
                on_change=from_the_start,
            )
        actor = second.text_input("Person", key="trail_actor", on_change=from_the_start)
        outcome = third.selectbox(
            "Outcome",
            ["", *OUTCOMES],
            format_func=lambda code: OUTCOMES.get(code, "All"),
            key="trail_outcome",
            on_change=from_the_start,
        )
        verb = first.text_input(
            "Verb", key="trail_verb", placeholder="sign_in, deposit ...", on_change=from_the_start
        )
        role = second.selectbox(
            "Role",
            ["", *(role.value for role in Role)],
            format_func=lambda code: words.role_name(Role(code)) if code else "All",
            key="trail_role",
            on_change=from_the_start,
        )
        about = third.text_input(
            "About",
            key="trail_about",
            placeholder="account 001000000016",
            help="A kind of thing and its number, as the list shows it.",
            on_change=from_the_start,
        )
    kind, _, number = about.strip().rpartition(" ")
    return Searched(
        start=days[0] if days else None,
        end=days[1] if len(days) > 1 else None,
        actor=actor.strip() or None,
        verb=verb.strip() or None,
        outcome=outcome or None,
        role=role or None,
        object_kind=kind.strip() or None,
        object_id=number or None,
    )


def one(record: Record) -> None:
    """Everything that one record holds."""
    with st.container(border=True):
        st.header(record.sentence)
        st.markdown(words.badge(OUTCOMES[record.outcome.value]))
        if record.refusal:
            st.warning(words.plain(record.refusal))
        tables.facts(
            {
                "Record": str(record.id),
                "When": words.moment(record.at),
                "Who": f"{record.actor_name} ({words.sentence(record.role)})",
                "From": f"{record.from_where or 'unknown'}, {record.channel}",
                "Session": str(record.session_id or "none"),
                "On behalf of": f"customer {record.on_behalf_of}" if record.on_behalf_of else "",
                "Verb": record.verb,
                "About": record.about or "nothing in particular",
            }
        )
        if record.changes:
            st.markdown("**Before and after**")
            tables.show(
                record.changes,
                [
                    column("Field", lambda change: words.sentence(change[0]), key=True),
                    column("Before", lambda change: change[1], key=True),
                    column("After", lambda change: change[2], key=True),
                ],
                key="trail_changes",
            )
        if record.details:
            st.markdown("**What the verb was given**")
            st.json(dict(record.details))


wanted = searched()
places: list[int] = st.session_state.setdefault(OLDER, [])
with ui.attempt():
    page = trail.records(desk, wanted, places[-1] if places else None)

    if not page.records:
        ui.empty("Nothing in the trail fits.", "Take more days, or search for less.")
        st.stop()

    chosen = tables.choose(
        page.records, COLUMNS, key="trail", id_of=lambda record: record.id, prompt="Choose a record"
    )
    with st.container(horizontal=True):
        if st.button(
            "Newer", key="trail_newer", disabled=not places, icon=":material/chevron_left:"
        ):
            places.pop()
            st.rerun()
        if st.button(
            "Older",
            key="trail_older_button",
            disabled=page.older is None,
            icon=":material/chevron_right:",
        ):
            places.append(page.older or 0)
            st.rerun()
        ui.download(
            "Download CSV",
            lambda asking: trail.export_records(asking, wanted),
            permission=Permission.TRAIL_VIEW,
            file_name="trail.csv",
            mime="text/csv",
            key="trail_csv",
        )
    if chosen is None:
        st.caption("Choose a record to see all of it.")
    else:
        one(chosen)
