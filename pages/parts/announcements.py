"""What the bank announces, as its readers see it on their home page."""

from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.office import announcements
from bank.office.announcements import Severity
from pages.parts import words

FORM: Final = "announce"  # the form of the page that writes one
ICONS: Final = {
    Severity.OFFER: ":material/local_offer:",
    Severity.INFO: ":material/campaign:",
    Severity.WARNING: ":material/warning:",
    Severity.URGENT: ":material/priority_high:",
}


def show(desk: Desk) -> None:
    """Everything that is announced to this person today, the most severe first."""
    with st.container():  # always there, so that nothing below it moves
        for card in announcements.current(desk):
            draw(card.severity, card.title, card.body)
            if card.severity is Severity.OFFER and desk.may(Permission.TICKET_OWN):
                st.page_link(
                    "pages/customer/help.py",
                    label=words.plain(f"I am interested: {card.title}"),
                    icon=":material/arrow_forward:",
                    query_params={"offer": str(card.id)},
                )


def draw(severity: Severity, title: str, body: str) -> None:
    """One announcement: its words say how much it matters, and the colour says it again."""
    says = {
        Severity.OFFER: st.info,
        Severity.INFO: st.info,
        Severity.WARNING: st.warning,
        Severity.URGENT: st.error,
    }
    first = {Severity.URGENT: "Urgent: ", Severity.OFFER: "Offer: "}.get(severity, "")
    says[severity](
        f"**{first}{words.plain(title)}**\n\n{words.plain_lines(body)}", icon=ICONS[severity]
    )
