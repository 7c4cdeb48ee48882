"""Canned replies: one's own to keep and forget, those that all use to be kept by a lead."""

import streamlit as st

from bank.core.permissions import Permission
from bank.office import canned
from bank.office.canned import LONGEST_NAME, LONGEST_REASON, KeptReply
from bank.office.ticket_posts import LONGEST_BODY
from pages.parts import canned as parts
from pages.parts import frame, tables, ui, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.TICKET_WORK, title="Canned replies")

NARROW = 640  # pixels
LABELS = {**parts.LABELS, "branch": "Branch", "reason": "Why"}
LEADS = desk.may(Permission.WORK_LEAD)
names = frame.branch_names(desk)


def whose(reply: KeptReply) -> str:
    """Whose words they are."""
    if reply.is_own:
        return "Yours"
    return names.get(reply.branch_id or 0, "The bank")


def chosen_one(reply: KeptReply) -> None:
    """The words, and what this person may do about them."""
    st.header(words.plain(reply.name))
    with st.container(border=True):
        st.markdown(words.plain_lines(reply.body))
    if reply.may_change:
        change(reply)
    else:
        st.caption("These are kept by a lead. Keep words of your own under the same name instead.")
    if not reply.is_own:
        history(reply)


def change(reply: KeptReply) -> None:
    """Other words under the same name, and the way to be rid of them."""
    with st.form(f"canned_change_{reply.id}"):
        said = st.text_area(
            LABELS["message"],
            reply.body,
            key=f"canned_change_{reply.id}_body",
            max_chars=LONGEST_BODY,
            height=160,
            help=parts.FILLED_IN,
        )
        if st.form_submit_button("Change these words", type="primary"):
            with ui.attempt(f"{reply.name} is changed.", labels=LABELS):
                if reply.is_own:
                    canned.keep_reply(desk, reply.name, said or "")
                else:
                    canned.keep_for_all(desk, reply.name, said or "", reply.branch_id)
    if reply.is_own:
        if st.button("Forget these words", key=f"canned_forget_{reply.id}"):
            with ui.attempt(f"{reply.name} is forgotten."):
                canned.forget_reply(desk, reply.id)
        return
    with st.form(f"canned_retire_{reply.id}"):
        why = st.text_input(
            LABELS["reason"],
            key=f"canned_retire_{reply.id}_why",
            max_chars=LONGEST_REASON,
            autocomplete="off",
            help="It stays in the history.",
        )
        if st.form_submit_button("Retire these words"):
            with ui.attempt(f"{reply.name} is offered no more.", labels=LABELS):
                canned.retire_reply(desk, reply.id, why or "")


def history(reply: KeptReply) -> None:
    """What was done to words that all use."""
    with st.expander("History", icon=":material/history:"):
        lines = canned.reply_history(desk, reply.id)
        if not lines:
            st.caption("They came with the bank, and nobody has changed them.")
            return
        tables.show(
            lines,
            [
                column("When", "at", Kind.MOMENT, key=True),
                column("What", lambda line: words.sentence(line.act), key=True),
                column("By", "by", key=True),
                column("Words", "body", width=320),
                column("Why", "why"),
            ],
            key=f"canned_history_{reply.id}",
        )


def new() -> None:
    """Words under a new name: for oneself, or by a lead for all."""
    form = "canned_new"
    field = f"{form}_{ui.request_id(form)}"
    with st.expander("Keep new words", icon=":material/add:"), st.form(form, border=False):
        name = st.text_input(
            LABELS["name"], key=f"{field}_name", max_chars=LONGEST_NAME, autocomplete="off"
        )
        said = st.text_area(
            LABELS["message"],
            key=f"{field}_body",
            max_chars=LONGEST_BODY,
            height=160,
            help=parts.FILLED_IN,
        )
        branch_id = desk.branch_id
        if LEADS and desk.sees_whole_bank:
            branch_id = st.selectbox(
                LABELS["branch"],
                [None, *names],
                format_func=lambda one: names.get(one or 0, "The bank"),
                key=f"{field}_branch",
                help="For whose replies, if you keep them for all.",
            )
        mine = st.form_submit_button("Keep for my replies", type="primary")
        everybodys = LEADS and st.form_submit_button("Keep for all")
    if mine:
        with ui.attempt("Kept for your replies.", form=form, labels=LABELS):
            canned.keep_reply(desk, name or "", said or "")
    elif everybodys:
        with ui.attempt("Kept for all.", form=form, labels=LABELS):
            canned.keep_for_all(desk, name or "", said or "", branch_id)


with st.container(width=NARROW):
    new()
found = canned.replies(desk)
if not found:
    ui.empty("No words are kept for replies.", "Keep what you write often; here it is found.")
else:
    one = tables.choose(
        found,
        [
            column("Name", "name", key=True, width=200),
            column("Whose", whose, key=True),
            column("Words", "body", width=400),
        ],
        key="canned_replies",
        id_of=lambda reply: reply.id,
        prompt="Choose a canned reply",
    )
    if one is None:
        st.caption("Choose one to read it, to change it, or to be rid of it.")
    else:
        with st.container(width=NARROW):
            chosen_one(one)
