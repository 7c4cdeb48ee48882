"""Freezes of an account: what stands on it, for whoever serves it; and placing and lifting."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from bank.accounts import freezes
from bank.accounts.accounts import AccountCard, FreezeKind
from bank.accounts.freezes import MEANS, WORDS, FreezeCard
from bank.core.desk import Desk
from bank.core.permissions import Permission
from pages.parts import forms, tables, ui, waiting, words
from pages.parts.tables import Kind, column

LABELS: Final = {"order": "Order", "reason": "Reason"}
NARROW: Final = 560  # pixels: an input is no wider than what belongs into it
FORM: Final = "freeze_new"
PAST: Final = [
    column("What", lambda card: words.sentence(WORDS[card.kind]), key=True),
    column("Order", "order_reference", key=True),
    column("Placed", "placed_at", Kind.MOMENT),
    column("By", "placed_by_name"),
    column("Reason", "reason"),
    column("Lifted", "lifted_at", Kind.MOMENT, key=True),
    column("Lifted by", lambda card: _two(card)),
    column("Why lifted", lambda card: card.lift_reason or ""),
]


def shown(desk: Desk, card: AccountCard) -> None:
    """What stands on the account, said before anybody types an amount."""
    if card.frozen is not None:
        _say(_standing(freezes.freezes_of(desk, card.number)))


def kept(desk: Desk, card: AccountCard) -> None:
    """On the account's page: what stands and stood; whoever may freezes it and lets it go."""
    cards = freezes.freezes_of(desk, card.number)
    standing = _standing(cards)
    may_change = desk.may(Permission.ACCOUNT_FREEZE, changes=True)
    if may_change:
        for each in standing:
            _lift(desk, each)
        with st.expander("Freeze this account by order"):
            _place(desk, card)
    if past := [each for each in cards if each.lifted_at is not None]:
        st.markdown("**Freezes that were lifted**")
        tables.show(past, PAST, key="freezes_past")


def _standing(cards: Sequence[FreezeCard]) -> list[FreezeCard]:
    return [each for each in reversed(cards) if each.lifted_at is None]


def _say(standing: Sequence[FreezeCard]) -> None:
    for each in standing:
        st.error(
            words.plain(
                f"{each.words[:1].upper()}{each.words[1:]}: {MEANS[each.kind]}. {each.reason}, "
                f"placed by {each.placed_by_name}."
            ),
            icon=":material/ac_unit:",
        )


def _lift(desk: Desk, card: FreezeCard) -> None:
    with (
        st.container(width=NARROW),
        st.expander(words.plain(f"Lift the {WORDS[card.kind]}, order {card.order_reference}")),
        st.form(f"freeze_lift_{card.id}", border=False),
    ):
        st.caption("A second person agrees. Other orders on the account go on standing.")
        why = st.text_input(
            LABELS["reason"],
            key=f"freeze_why_{card.id}",
            max_chars=freezes.LONGEST_REASON,
            help="For example the order that ends it.",
        )
        asked = st.form_submit_button("Lift freeze", type="primary")
    if asked:
        with waiting.attempt("The freeze is lifted.", labels=LABELS):
            freezes.lift_freeze(desk, card.id, why)


def _place(desk: Desk, card: AccountCard) -> None:
    with st.container(width=NARROW), st.form(FORM, border=False):
        st.caption("It counts at once, also for what waits for approval. Lifting it takes two.")
        kind = st.selectbox(
            "What the order stops",
            list(FreezeKind),
            format_func=lambda each: f"{words.sentence(WORDS[each])}: {MEANS[each]}",
            key=f"{FORM}_kind",
        )
        order = st.text_input(
            LABELS["order"],
            key=f"{FORM}_order",
            max_chars=freezes.LONGEST_ORDER,
            help="Number and office, as they stand on the paper.",
        )
        reason = st.text_input(
            LABELS["reason"], key=f"{FORM}_reason", max_chars=freezes.LONGEST_REASON
        )
        asked = st.form_submit_button("Freeze account", type="primary")
    if asked:
        with ui.attempt(labels=LABELS):
            freezes.place_freeze(
                desk, card.number, kind, order, reason, request_id=ui.request_id(FORM)
            )
            forms.forget(f"{FORM}_")
            ui.flash(f"A {WORDS[kind]} stands on account {card.number} from now on.")
            st.rerun()


def _two(card: FreezeCard) -> str:
    agreed = f", agreed by {card.agreed_by_name}" if card.agreed_by_name else ""
    return f"{card.lifted_by_name or ''}{agreed}"
