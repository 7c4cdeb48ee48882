"""Employee performance: period, role and person; the numbers that they see themselves."""

import streamlit as st

from bank.core.permissions import Permission, Role
from bank.counters import work_facts
from pages.parts import ui, words, work

desk = ui.enter(Permission.STAFF_VIEW, title="Employee performance")

st.write(
    "Each number leads to the cases behind it. Beside it stand the median and the range of the role"
    " at the branch; nobody is ranked, and small numbers are not compared."
)
with ui.attempt():
    people = work_facts.people(desk)
    if not people:
        ui.empty("Nobody works here yet.", "Add employees under Employees.")
        st.stop()
    roles = [role for role in Role if any(person.role is role for person in people)]
    with st.container(horizontal=True):
        role = st.selectbox(
            "Role", roles, format_func=words.role_name, key="performance_role", width=280
        )
        offered = {person.id: person.name for person in people if person.role is role}
        chosen = st.selectbox(
            "Employee",
            list(offered),
            format_func=offered.__getitem__,
            key=f"performance_person_{role}",
            width=280,
        )
    if chosen is not None:
        work.figures(desk, work.of(desk, chosen), key=f"performance_{chosen}")
