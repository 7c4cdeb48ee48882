"""Users, staff and customers: when they were last here, who is locked; lock and unlock them."""

import streamlit as st

from bank.core.permissions import STAFF, Permission
from bank.people import users
from bank.people.users import Kind as WhichUsers
from bank.people.users import State, UserCard
from pages.parts import employee, tables, ui, waiting, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.USER_VIEW, title="Users")

PLACES = "users_places"
KINDS = {
    WhichUsers.ALL: "Everybody",
    WhichUsers.EMPLOYEES: "Employees",
    WhichUsers.CUSTOMERS: "Customers",
}
COLUMNS = [
    column("Name", "name", key=True),
    column("User name", "username"),
    column("Role", lambda card: words.role_name(card.role), key=True),
    column("State", "state", Kind.STATE, key=True),
    column("Signed in", lambda card: "yes" if card.is_signed_in else "no"),
    column(
        "Last sign-in",
        lambda card: words.moment_or(card.last_sign_in_at, "never"),
        by="last_sign_in_at",
    ),
    column("Last seen", "last_seen_at", Kind.MOMENT),
]
if desk.sees_whole_bank:
    COLUMNS.append(column("Branch", lambda card: card.branch or "Head office"))


def from_the_start() -> None:
    """Another search begins on its first page."""
    st.session_state[PLACES] = []


def one(card: UserCard) -> None:
    """A user, and the way to lock or unlock them."""
    with st.container(border=True):
        st.header(words.plain(card.name))
        st.markdown(words.badge(card.state))
        tables.facts(
            {
                "User name": card.username,
                "Role": words.role_name(card.role),
                "Branch": card.branch or "Head office",
                "Signed in": "yes" if card.is_signed_in else "no",
                "Last sign-in": words.moment(card.last_sign_in_at),
                "Last seen": words.moment(card.last_seen_at),
            }
        )
        if card.role in STAFF:
            waiting.banner(desk, "user", str(card.id))
        if card.role in STAFF and desk.may(Permission.STAFF_VIEW):
            st.page_link("pages/admin/employees.py", label="Employees", icon=":material/badge:")
        if card.may_lock:
            _lock(card)
        with st.expander("What was done about them", icon=":material/history:"):
            employee.history_table(users.user_history(desk, card.id), key=f"user_{card.id}")


def _lock(card: UserCard) -> None:
    is_locked = card.state in {State.LOCKED, State.LOCKED_OUT}
    with st.form(f"user_lock_{card.id}_{card.state}", border=False, width=employee.NARROW):
        reason = st.text_input("Reason", key=f"user_reason_{card.id}", max_chars=200)
        asked = st.form_submit_button("Unlock user" if is_locked else "Lock user", type="primary")
    if asked:
        verb = users.unlock_user if is_locked else users.lock_user
        done = f"{card.name} was {'unlocked' if is_locked else 'locked'}."
        with ui.attempt(done, labels={"reason": "Reason"}):
            verb(desk, card.id, reason)
            del st.session_state[f"user_reason_{card.id}"]


first, second, third = st.columns([2, 1, 1])
searched = first.text_input(
    "Search",
    key="users_searched",
    bind="query-params",
    placeholder="name, user name or customer number",
    on_change=from_the_start,
)
kind = second.selectbox(
    "Who",
    list(KINDS),
    format_func=lambda which: KINDS[which],
    key="users_kind",
    on_change=from_the_start,
)
state = third.selectbox(
    "State",
    [None, *State],
    format_func=lambda each: words.sentence(each.value) if each else "Any",
    key="users_state",
    on_change=from_the_start,
)
places: list[int] = st.session_state.setdefault(PLACES, [])
with ui.attempt():
    page = users.users(desk, searched, kind, state, places[-1] if places else None)
    if not page.users:
        ui.empty("Nobody fits.", "Search for less, or for any state.")
        st.stop()
    chosen = tables.choose(
        page.users,
        COLUMNS,
        key="users",
        id_of=lambda card: card.id,
        prompt="Choose a user",
        file_name="users.csv",
        filters={"search": searched, "who": KINDS[kind], "state": state},
    )
    with st.container(horizontal=True):
        if st.button("Back", key="users_back", disabled=not places, icon=":material/chevron_left:"):
            places.pop()
            st.rerun()
        if st.button(
            "More", key="users_more", disabled=page.after is None, icon=":material/chevron_right:"
        ):
            places.append(page.after or 0)
            st.rerun()
    if chosen is None:
        st.caption("Choose a user to lock or unlock them.")
    else:
        one(chosen)
