"""The employees of a branch: who they are and what they have in hand; add, edit, remove them."""

import streamlit as st

from bank.core.permissions import Permission
from bank.people import staff, staff_list
from bank.people.staff_list import EmployeeCard
from pages.parts import employee, forms, tables, ui, waiting, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.STAFF_VIEW, title="Employees")

ADDING = "employees_adding"
COLUMNS = [
    column("Name", "name", key=True),
    column("User name", "username"),
    column("Role", lambda card: words.role_name(card.role), key=True),
    column("State", "state", Kind.STATE, key=True),
    column("Last sign-in", lambda card: words.moment_or(card.last_sign_in_at, "never")),
    column("Signed in", lambda card: "yes" if card.open_sessions else "no"),
    column("In hand", "items", Kind.NUMBER, help="What they would hand over if they left."),
    column("Stands against leaving", lambda card: " ".join(card.against)),
]
if desk.sees_whole_bank:
    COLUMNS.insert(4, column("Branch", lambda card: card.branch or "Head office"))


def add() -> None:
    """The form of a new employee."""
    with st.container(border=True, width=employee.NARROW):
        st.header("Add an employee")
        st.caption("A second person agrees; then they alone are sent a link to choose a password.")
        with st.form("employee_new", border=False):
            name = st.text_input(employee.LABELS["name"], key="employee_new_name")
            email = st.text_input(employee.LABELS["email"], key="employee_new_email")
            username = st.text_input(
                employee.LABELS["username"],
                key="employee_new_username",
                help="3 to 32 letters, digits, dots, dashes or underscores. They sign in with it.",
            )
            role = employee.role_input(desk, key="employee_new_role")
            ifsc = employee.branch_input(desk, key="employee_new_branch")
            customer = st.text_input(
                employee.LABELS["customer"],
                key="employee_new_customer",
                help="If they bank here, too: they will decide about none of their own accounts.",
                autocomplete="off",
            )
            asked = st.form_submit_button("Add employee", type="primary")
        if st.button("Back to the list", type="tertiary", key="employee_new_back"):
            st.session_state.pop(ADDING, None)
            st.rerun()
    if asked:
        done = f"{name.strip()} was added; a link is on its way."
        with waiting.attempt(done, labels=employee.LABELS, then=added):
            staff.add_employee(desk, username, name, email, role, ifsc, customer)


def added() -> None:
    """The form is done with."""
    forms.forget("employee_new_")
    st.session_state.pop(ADDING, None)


def one(card: EmployeeCard) -> None:
    """An employee, and what can be done."""
    with st.container(border=True):
        st.header(words.plain(card.name))
        st.markdown(words.badge(card.state))
        waiting.banner(desk, "user", str(card.id))
        offered = {**employee.READS, **(employee.CHANGES if card.may_change else {})}
        chosen = st.segmented_control(
            "What to do",
            list(offered),
            default="Details",
            required=True,
            key=f"employee_do_{card.id}",
            label_visibility="collapsed",
        )
        draw = offered[chosen or "Details"]
        with st.container(width="stretch" if draw in employee.WIDE else employee.NARROW):
            draw(desk, card)
        if not card.may_change and desk.may(Permission.STAFF_MANAGE):
            st.caption("Somebody else has this employee in hand: a colleague, or head office.")


if st.session_state.get(ADDING) and desk.may(Permission.STAFF_MANAGE):
    add()
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    with_removed = st.toggle("Also those who have left", key="employees_with_removed")
    if desk.may(Permission.STAFF_MANAGE) and st.button(
        "Add an employee",
        key="employees_add",
        icon=":material/person_add:",
        type="secondary" if st.session_state.get("employees_chosen") else "primary",
    ):
        st.session_state[ADDING] = True
        st.rerun()
with ui.attempt():
    cards = staff_list.employees(desk, with_removed)
    waiting.banner(desk, "user", None)
    counts = {
        "Employees": sum(card.state != "removed" for card in cards),
        "Signed in": sum(card.open_sessions > 0 for card in cards),
        "Invited": sum(card.state == "invited" for card in cards),
        "Locked": sum(card.state.startswith("locked") for card in cards),
    }
    with st.container(horizontal=True):
        for name, count in counts.items():
            st.metric(name, count, border=True, width=employee.FIGURE)
    if not cards:
        ui.empty("Nobody works here yet.", "Add the first employee; a link goes to them.")
        st.stop()
    chosen = tables.choose(
        cards,
        COLUMNS,
        key="employees",
        id_of=lambda card: card.id,
        file_name="employees.csv",
        prompt="Choose an employee",
    )
    if chosen is None:
        st.caption("Choose an employee to see more.")
    else:
        one(chosen)
