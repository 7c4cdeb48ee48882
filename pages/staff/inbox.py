"""The inbox: everything that waits for this person and their colleagues, whatever it is about."""

import streamlit as st

from bank.core import approvals
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.office import approval_cards, tickets
from bank.office.queue_lists import ItemRow
from pages.parts import queue, ticket_bulk, ticket_panel, ui, waiting, words

desk = ui.enter(Permission.WORK_DO, title="Inbox")


def approval(reader: Desk, item: ItemRow) -> None:
    """What is asked for, and the way to the page where it is decided."""
    card = approval_cards.approval_card(reader, item.subject_id)
    row = card.row
    st.markdown(
        f"{words.badge(row.status)} {words.plain(waiting.title_of(row))} "
        f"{words.plain(waiting.amount_of(row))}, asked for by {words.plain(row.maker_name)}. "
        f"{words.plain(waiting.said_of(card))}"
    )
    if st.button("Open the approval", key=f"inbox_open_{row.id}", icon=":material/order_approve:"):
        st.session_state["approvals_list_chosen"] = str(item.id)
        ui.go("staff/approvals.py")


PANELS = {approvals.KIND.name: approval, tickets.KIND.name: ticket_panel.panel}
ticket_bulk.say_result()
INBOX = queue.Queue(name="inbox", panels=PANELS, below=ticket_bulk.draw)
queue.draw(desk, INBOX)
