"""Help: write to the bank, follow one's tickets and their clock, answer, open again, rate."""

from collections.abc import Mapping, Sequence

import streamlit as st

from bank.accounts import accounts
from bank.core.clock import appointment
from bank.core.permissions import Permission
from bank.core.work_tables import W
from bank.office import announcements, scores, ticket_files, ticket_waits, tickets
from bank.office.announcements import Severity
from bank.office.ticket_posts import LONGEST_BODY
from bank.office.ticket_tables import LONGEST_SCORE_NOTE, LONGEST_SUBJECT
from bank.office.tickets import TicketCard
from pages.parts import conversation, forms, tables, ui, uploads, words
from pages.parts.forms import Slip, Step
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.TICKET_OWN, title="Help")

MAY_ACT = desk.may(Permission.TICKET_OWN, changes=True)  # not for who looks on their behalf
NARROW = 640  # pixels
MINE, WRITE = "Your tickets", "Write to the bank"
VIEW, LINKED = "help_view", "help_linked"
OFFER = "offer"  # what a link from the home page calls the announcement it is about
ENTRY = "entry"  # also what a link from the statement calls the entry it is about
LABELS = {
    "about": "Reference of the entry",
    "account": "Account or entry",
    "category": "What is it about",
    "files": uploads.LABEL,
    "message": "Message",
    "reference": "Reference of the entry",
    "remark": "A remark",
    "score": "How well was it solved",
    "subject": "In a few words",
}

slip: Slip[None, TicketCard] = Slip("help_write")


def write() -> None:
    """The form: what it is about, and what there is to say."""
    names, own = tickets.categories(desk), accounts.own_accounts(desk)
    numbers = {card.number: card for card in own}
    category, about, entry = about_what(names, numbers)
    subject = st.text_input(
        LABELS["subject"],
        key=slip.field("subject"),
        persist_state="page",
        max_chars=LONGEST_SUBJECT,
        autocomplete="off",
    )
    body = st.text_area(
        LABELS["message"],
        key=slip.field("body"),
        persist_state="page",
        max_chars=LONGEST_BODY,
        height=160,
        help="Never write a password or a code here: the bank does not ask for them.",
    )
    files = uploads.files_input(desk, key=slip.field(f"files_{slip.request_id}"))
    if st.button("Send to the bank", type="primary", key=slip.field("send")):
        kind = None if about is None else ENTRY if about == ENTRY else "account"
        with ui.attempt(labels=LABELS):
            card = tickets.open_ticket(
                desk,
                category or "",
                subject or "",
                body or "",
                kind,
                (entry if kind == ENTRY else about) or "",
                uploads.taken(files),
                request_id=slip.request_id,
            )
            st.query_params.clear()
            st.session_state.pop(LINKED, None)
            slip.finish(card)


def about_what(
    names: Mapping[str, str], numbers: dict[str, accounts.AccountCard]
) -> tuple[str | None, str | None, str]:
    """The category, and the account or the entry it is about."""
    category = st.selectbox(
        LABELS["category"],
        list(names),
        None,
        format_func=lambda code: names.get(code, code),
        placeholder="Choose one",
        key=slip.field("category"),
        persist_state="page",
    )
    about = st.selectbox(
        LABELS["account"],
        [None, *numbers, ENTRY],
        format_func=lambda one: named(one, numbers),
        key=slip.field("about"),
        persist_state="page",
    )
    entry = ""
    if about == ENTRY:
        entry = st.text_input(
            LABELS["about"],
            key=slip.field(ENTRY),
            persist_state="page",
            placeholder="Such as 260316-1042-6",
            help="It stands on the receipt. A line of your statement brings it here by itself.",
            autocomplete="off",
        )
    return category, about, entry or ""


def linked(entry: str) -> None:
    """Come from a line of the statement: a new form, about this entry."""
    if entry and st.session_state.get(LINKED) != entry:
        st.session_state[LINKED] = entry
        begin({"about": ENTRY, ENTRY: entry, "category": "unknown_entry"})


def interested(number: str) -> None:
    """Come from an offer on the home page: a new form that only wants to be sent."""
    if not number:
        return
    del st.query_params[OFFER]  # arrived: what the person chooses now is theirs
    # All that hold today, also those for which the home page has no room.
    offers = {
        str(card.id): card
        for card in announcements.current(desk)
        if card.severity is Severity.OFFER
    }
    if number not in offers:
        st.info("This offer is over. Write to the bank if you have a question.")
        return
    title = offers[number].title
    begin(
        {
            "category": "offer",
            "subject": f"Interested: {title}"[:LONGEST_SUBJECT],
            "body": f"I am interested in your offer: {title}. Please tell me more.",
        }
    )


def begin(filled: Mapping[str, str]) -> None:
    """A new form with something in it."""
    slip.clear()
    st.session_state[VIEW] = WRITE
    for name, value in filled.items():
        st.session_state[slip.field(name)] = value


def named(about: str | None, numbers: dict[str, accounts.AccountCard]) -> str:
    """A choice of what it is about."""
    if about is None:
        return "Nothing in particular"
    if about == ENTRY:
        return "An entry on a statement"
    return f"{numbers[about].product_name} {words.masked(about)}"


def sent(card: TicketCard) -> None:
    """The number large, and the clock."""
    wait = conversation.wait_of(ticket_waits.own_waits(desk).get(card.id))
    forms.receipt(
        slip,
        done="The bank has your message.",
        reference=card.reference,
        facts={
            "About": card.subject,
            "We answer by": appointment(card.first_due_at) if card.first_due_at else "",
            "We solve it by": appointment(card.solve_due_at) if card.solve_due_at else "",
            "How long it takes": wait,
        },
        another="Write once more",
    )
    st.caption("You find it under Your tickets, and get a mail with every answer.")


def mine(cards: Sequence[TicketCard]) -> None:
    """The list, and the ticket that was chosen as a conversation."""
    if not cards:
        ui.empty(
            "You have written nothing to the bank yet.",
            "A complaint, a question or an idea gets a number and a day by which we answer.",
        )
        return
    now = desk.bank.clock.now()
    chosen = tables.choose(
        cards,
        [
            column("Ticket", "reference", width=150),
            column("About", "subject", key=True, width=300),
            column("State", conversation.state_of, Kind.STATE, key=True),
            column("What comes next", lambda card: conversation.next_of(card, now), width=260),
        ],
        key="help_tickets",
        id_of=lambda card: card.id,
        prompt="Choose a ticket",
    )
    if chosen is None:
        st.caption("Choose a ticket to read it, to answer, or to open it again.")
        return
    ticket(chosen)


def ticket(card: TicketCard) -> None:
    """One ticket: the clock, the conversation, and what can be done now."""
    now = desk.bank.clock.now()
    st.header(words.plain(card.subject))
    st.markdown(f"{words.badge(conversation.state_of(card))} {card.reference}")
    promise = words.plain(conversation.promise_of(card, now))
    if card.next_due_at is not None and card.next_due_at < now:
        st.warning(promise)
    else:
        st.info(promise)
    if wait := conversation.wait_of(ticket_waits.own_waits(desk).get(card.id)):
        st.caption(words.plain(wait))
    with st.container(width=NARROW):
        conversation.draw(
            tickets.own_posts(desk, card.id),
            fetch=ticket_files.own_file,
            permission=Permission.TICKET_OWN,
            key=f"help_{card.id}",
        )
        if card.merged_reference or not MAY_ACT:
            return
        if card.state is not W.DECIDED:
            say(
                card,
                "Send answer" if card.state is W.WAITING else "Add to this ticket",
                again=False,
            )
            return
        if card.may_score(now):
            rate(card)
        elif card.score is not None:
            st.caption(words.plain(f"You rated it: {conversation.score_of(card)}"))
        if card.may_reopen(now):
            with st.expander("It is not solved", icon=":material/undo:"):
                say(card, "Open it again", again=True)


def say(card: TicketCard, action: str, *, again: bool) -> None:
    """More words on a ticket; what was typed is forgotten with its request, once it is sent."""
    form = f"help_say_{card.id}_{again}"
    field = f"{form}_{ui.request_id(form)}"
    with st.form(form, border=False):
        text = st.text_area(
            "What is missing" if again else LABELS["message"],
            key=field,
            max_chars=LONGEST_BODY,
            height=120,
        )
        files = uploads.files_input(desk, key=f"{field}_files")
        if st.form_submit_button(action, type="primary"):
            verb = tickets.reopen if again else tickets.answer
            done = "Your ticket is open again." if again else "The bank has your message."
            once = ui.request_id(form)
            with ui.attempt(done, form=form, labels=LABELS):
                verb(desk, card.id, text or "", uploads.taken(files), request_id=once)


def rate(card: TicketCard) -> None:
    """How well it was solved, in words: asked until it is answered, then to be changed."""
    with st.form(f"help_rate_{card.id}"):
        choices = list(conversation.SCORES)
        score = st.radio(
            LABELS["score"],
            choices,
            None if card.score is None else choices.index(card.score),
            format_func=conversation.SCORES.__getitem__,
            horizontal=True,
            help=f"To be changed until {words.moment(card.score_until)}. The bank reads it, and it "
            "counts for who solved it.",
        )
        note = st.text_input(
            LABELS["remark"],
            card.score_note,
            max_chars=LONGEST_SCORE_NOTE,
            autocomplete="off",
        )
        if st.form_submit_button("Send rating"):
            with ui.attempt("Thank you: the bank has your rating.", labels=LABELS):
                scores.score_ticket(desk, card.id, score or 0, note or "")


def elsewhere() -> None:
    """Where to go when the bank does not help."""
    days = tickets.promised_days(desk)["ombudsman_days"]
    st.caption(
        words.plain(
            f"If a complaint is not solved within {days} days, or not to your satisfaction, you "
            "may write to the Ombudsman of the Reserve Bank of India, free of charge: "
            "cms.rbi.org.in, or telephone 14448."
        )
    )


own = tickets.own_tickets(desk)
view = MINE
if MAY_ACT:
    linked(st.query_params.get(ENTRY, ""))
    interested(st.query_params.get(OFFER, ""))
    st.session_state.setdefault(VIEW, MINE if own else WRITE)
    view = st.segmented_control("View", [MINE, WRITE], required=True, key=VIEW)
if view == MINE:
    mine(own)
else:
    with st.container(width=NARROW):
        if slip.step is Step.DONE:
            sent(slip.receipt)
        else:
            write()
elsewhere()
