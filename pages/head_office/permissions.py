"""Permissions: which role may do what, and who can do one thing, with names."""

import streamlit as st

from bank.core.permissions import NamedGrant, Permission, Role
from bank.people import rights
from bank.people.rights import Right, WhoCan
from pages.parts import tables, ui, words
from pages.parts.tables import column

desk = ui.enter(Permission.RIGHTS_VIEW, title="Permissions")

PEOPLE = [role for role in Role if role not in {Role.GUEST, Role.SYSTEM}]


def by(right: Right) -> str:
    """The roles and grants that may, in words."""
    roles = [words.role_name(role) for role in Role if role in right.roles]
    named = [words.sentence(each.value) for each in NamedGrant if each in right.named]
    return ", ".join([*roles, *named])


def cell(right: Right, role: Role) -> str:
    """Yes, or nothing, which is easier on the eye than a column of noes."""
    return "yes" if role in right.roles else ""


def answer(found: WhoCan) -> None:
    """Everybody who can, and why."""
    right = found.right
    with st.container(border=True):
        st.header(words.plain(right.sentence))
        tables.facts(
            {
                "Kind": "changes the bank" if right.changes else "only looks",
                "Permission": right.permission.value,
                "Roles and grants": by(right) or "nobody",
                "Customers who can": f"{found.customers:,}" if found.customers else "none",
            }
        )
        if not found.holders:
            ui.empty(
                "No employee can do this today.",
                "A role or a named grant that allows it can be given on the page of employees.",
            )
            return
        tables.show(
            found.holders,
            [
                column("Name", "name", key=True),
                column("Because they are", lambda one: because(one.by), key=True),
                column("Role", lambda one: words.role_name(one.role)),
                column("Branch", lambda one: one.branch or "Head office"),
                column("User name", "username"),
            ],
            key="rights_holders",
            file_name="who-can.csv",
        )


def because(word: str) -> str:
    """The role or the grant, as people say it."""
    return words.role_name(Role(word)) if word in set(Role) else words.sentence(word)


with ui.attempt():
    everything = {right.verb: right for right in rights.rights(desk)}
    st.header("Who can ...?")
    verb = st.selectbox(
        "Choose something the bank does",
        [None, *everything],
        format_func=lambda name: everything[name].sentence if name else "Choose or type",
        key="rights_verb",
    )
    if verb is not None:
        answer(rights.who_can(desk, verb))
    st.header("Which role may do what")
    role = st.selectbox(
        "Role",
        [None, *PEOPLE],
        format_func=lambda each: words.role_name(each) if each else "All roles",
        key="rights_role",
    )
    shown = [right for right in everything.values() if role is None or role in right.roles]
    tables.show(
        shown,
        [
            column("What", "sentence", key=True, width=420),
            *(
                column(words.role_name(each), lambda right, each=each: cell(right, each))
                for each in (PEOPLE if role is None else [role])
            ),
            column(
                "Named grants",
                lambda right: ", ".join(
                    words.sentence(each.value) for each in NamedGrant if each in right.named
                ),
            ),
            column("Who", by, key=True),
        ],
        key="rights_matrix",
        of=len(everything),
        file_name="permissions.csv",
    )
