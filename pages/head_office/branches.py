"""The branches of the bank: who leads each, how many work and bank there; add one, edit one, set
its limits."""

import streamlit as st

from bank.core.permissions import Permission
from bank.counters import branch_limits
from bank.people import branch_list, branches
from bank.people.branch_list import BranchOverview
from pages.parts import forms, limits, tables, ui, waiting, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.BRANCH_EDIT, title="Branches")

ADDING = "branches_adding"
NARROW = 560
LABELS = {"ifsc": "IFSC", "micr": "MICR code", "name": "Name", "address": "Address"}
COLUMNS = [
    column("Branch", "branch.name", key=True),
    column("IFSC", "branch.ifsc", key=True),
    column("Admin", lambda row: ", ".join(row.admins) or "nobody", key=True),
    column("Employees", "employees", Kind.NUMBER),
    column("Customers", "customers", Kind.NUMBER),
    column("MICR", lambda row: row.branch.micr or ""),
    column("Opened", "branch.opened_on", Kind.DAY),
    column("Address", "branch.address"),
]


def add() -> None:
    """The form of a new branch."""
    with st.container(border=True, width=NARROW):
        st.header("Add a branch")
        with st.form("branch_new", border=False):
            ifsc = st.text_input(
                LABELS["ifsc"],
                key="branch_new_ifsc",
                help="Four letters, a zero, six letters or digits. It never changes.",
            )
            name = st.text_input(LABELS["name"], key="branch_new_name")
            address = st.text_input(LABELS["address"], key="branch_new_address")
            micr = st.text_input(
                LABELS["micr"], key="branch_new_micr", help="Nine digits, or nothing yet."
            )
            asked = st.form_submit_button("Add branch", type="primary")
        if st.button("Back to the list", type="tertiary", key="branch_new_back"):
            st.session_state.pop(ADDING, None)
            st.rerun()
    if asked:
        with ui.attempt(f"The branch {name.strip()} was added.", labels=LABELS):
            branches.add_branch(desk, ifsc, name, address, micr or None)
            forms.forget("branch_new_")
            st.session_state.pop(ADDING, None)


def edit(row: BranchOverview) -> None:
    """What of a branch may change."""
    card = row.branch
    with st.container(border=True, width=NARROW):
        st.header(words.plain(card.name))
        if not row.admins:
            st.warning("Nobody leads this branch. Add a branch admin on the page of employees.")
        with st.form(f"branch_edit_{card.id}", border=False):
            name = st.text_input(LABELS["name"], card.name, key=f"branch_name_{card.id}")
            address = st.text_input(
                LABELS["address"], card.address, key=f"branch_address_{card.id}"
            )
            micr = st.text_input(LABELS["micr"], card.micr or "", key=f"branch_micr_{card.id}")
            st.caption(f"IFSC {card.ifsc}, for good.")
            asked = st.form_submit_button("Save changes", type="primary")
    if asked:
        with ui.attempt(f"The branch {name.strip()} was changed.", labels=LABELS):
            branches.change_branch(desk, card.id, name, address, micr or None)


def set_limits(row: BranchOverview) -> None:
    """What counts at its counters beside the bank's rules, and the form that proposes another."""
    card, key = row.branch, f"branch_limit_{row.branch.id}"
    st.header(words.plain(f"Limits of {card.name}"))
    cards = branch_limits.limits_of_branch(desk, card.id)
    limits.of_branch(cards, key=f"{key}_now")
    typed = limits.form(desk, limits.OF_BRANCH, key=key)
    if typed is not None:
        done = f"The limit of {card.name} was set."
        with waiting.attempt(done, labels=limits.LABELS, then=lambda: forms.forget(f"{key}_")):
            branch_limits.set_limit(
                desk,
                card.ifsc,
                typed.what,
                typed.effective_from,
                typed.amount_minor,
                typed.reason,
            )
    steps = [step for each in cards for step in each.steps]
    limits.before(steps, limits.OF_BRANCH, key=f"{key}_before")


if st.session_state.get(ADDING):
    add()
    st.stop()
with ui.attempt():
    rows = branch_list.branch_overviews(desk)
    if st.button(
        "Add a branch",
        key="branches_add",
        icon=":material/add:",
        type="secondary" if st.session_state.get("branches_chosen") else "primary",
    ):
        st.session_state[ADDING] = True
        st.rerun()
    if not rows:
        ui.empty("The bank has no branch yet.", "Add the first one; employees come next.")
        st.stop()
    chosen = tables.choose(
        rows,
        COLUMNS,
        key="branches",
        id_of=lambda row: row.branch.id,
        file_name="branches.csv",
        prompt="Choose a branch",
    )
    if chosen is None:
        st.caption("Choose a branch to edit it or to set its limits.")
    else:
        waiting.banner(desk, "branch", chosen.branch.ifsc)
        edit(chosen)
        set_limits(chosen)
