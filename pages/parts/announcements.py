"""What the bank announces, as its readers see it on their home page."""

from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.office import announcements
from bank.office.announcements import SHOWN, AnnouncementCard, Severity
from pages.parts import words

FORM: Final = "announce"  # the form of the page that writes one
ALL: Final = "pages/every/announcements.py"
ICONS: Final = {
    Severity.OFFER: ":material/local_offer:",
    Severity.INFO: ":material/campaign:",
    Severity.WARNING: ":material/warning:",
    Severity.URGENT: ":material/priority_high:",
}


def show(desk: Desk) -> None:
    """What is announced to this person today, the most severe first; and the way to the rest."""
    with st.container():  # always there, so that nothing below it moves
        cards = announcements.current(desk)
        for card in cards[:SHOWN]:
            one(desk, card)
        if len(cards) > SHOWN:
            st.page_link(
                ALL,
                label=f"All {len(cards):,} announcements",
                icon=":material/campaign:",
            )


def one(desk: Desk, card: AnnouncementCard) -> None:
    """One of them, with the way to take what it offers."""
    draw(card.severity, card.title, card.body)
    # Who looks on a customer's behalf asks for nothing in their name.
    asks = desk.may(Permission.TICKET_OWN, changes=True)
    if card.severity is Severity.OFFER and asks:
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
