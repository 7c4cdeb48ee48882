"""The journal: fifty entries a page, found by what one knows of them; one in full; its reversal.

The search stands in the address, so a figure elsewhere can lead here with its own filters and a
colleague can be sent what one sees.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import streamlit as st

from bank.accounts import accounts, names
from bank.accounts.names import Names
from bank.book import journal
from bank.book.journal import EntryInFull, EntryRow
from bank.book.journal_search import Place, Wanted
from bank.book.kinds import EntryKind
from bank.book.ledger import Posted
from bank.core import money
from bank.core.approvals import AwaitingApproval
from bank.core.permissions import Permission
from bank.counters import receipts, slips
from pages.parts import forms, frame, known, tables, ui, waiting, words
from pages.parts.forms import Slip, Step
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.JOURNAL_VIEW, title="Journal")

KINDS = tuple(kind.value for kind in EntryKind)
RECEIPTS = (slips.DEPOSIT, slips.WITHDRAWAL, slips.TRANSFER)
SIDES = {"credits": "Credits", "debits": "Debits"}
CHANNELS = ("branch", "portal", "system", "import")
LABELS = {
    "account": "Account number",
    "username": "Booked by",
    "at least": "Amount at least",
    "at most": "Amount at most",
    "reason": "Reason",
}
FIELDS = tuple(
    f"journal_{name}"
    for name in [
        "from",
        "to",
        "kind",
        "channel",
        "gl",
        "account",
        "least",
        "most",
        "words",
        "by",
        "side",
        "branch",
        "entry",
    ]
)
PLACE = "journal_place"  # ("older" or "newer", place) where the shown page begins
URL = "query-params"

branch_names = frame.branch_names(desk)


gl_names = known.ledger_names(desk)


def anew() -> None:
    """Another search begins with the newest entry."""
    st.session_state.pop(PLACE, None)


KEPT: Final[dict[str, Any]] = {"bind": URL, "on_change": anew}


def searched() -> Wanted:
    """What the reader looks for, kept in the address. Raises BadInput for what means nothing.

    The fields are drawn when they are needed only: they are half of what the page sends.
    """
    in_use = any(st.session_state.get(key) or key in st.query_params for key in FIELDS)
    search = st.expander(
        "Search", expanded=in_use, key="journal_search", icon=":material/search:", on_change="rerun"
    )
    if not in_use and not search.open:
        return Wanted()
    with search:
        a, b, c, d = st.columns(4)
        today = desk.bank.clock.business_date()
        with a:
            start = forms.day_input("From", key="journal_from", last=today, **KEPT)
        with b:
            end = forms.day_input("To", key="journal_to", last=today, **KEPT)
        kind = chosen_of(c, "Kind", "kind", KINDS, words.sentence)
        channel = chosen_of(d, "Channel", "channel", CHANNELS, words.sentence)
        gl_code = chosen_of(
            a, "Ledger account", "gl", gl_names, lambda code: f"{code} {gl_names.get(code, '')}"
        )
        number = b.text_input("Account number", key="journal_account", **KEPT)
        least = c.text_input("Amount at least", key="journal_least", **KEPT)
        most = d.text_input("Amount at most", key="journal_most", **KEPT)
        said = a.text_input("Words in it", key="journal_words", **KEPT)
        by = b.text_input("Booked by", key="journal_by", placeholder="User name", **KEPT)
        side = chosen_of(c, "Side", "side", SIDES, SIDES.__getitem__)
        branch_id = None
        if desk.sees_whole_bank:
            branch_id = chosen_of(
                d, "Branch", "branch", branch_names, lambda one: branch_names.get(one, "?")
            )
        a.text_input(
            "One entry",
            key="journal_entry",
            placeholder="Reference",
            help="Its reference, its number, or its transaction id.",
            bind=URL,
        )
    account = accounts.find_account(desk, number) if number.strip() else None
    return Wanted(
        start=start,
        end=end,
        branch_id=branch_id,
        kind=kind,
        channel=channel,
        actor_id=names.user_id_of(desk, by) if by.strip() else None,
        gl_code=gl_code,
        account_id=account.id if account else None,
        credits=None if side is None else side == "credits",
        least_minor=money.parse(least, field="at least") if least.strip() else None,
        most_minor=money.parse(most, field="at most") if most.strip() else None,
        words=said.strip() or None,
    )


def chosen_of(
    place: Any, label: str, name: str, options: Iterable[Any], shown: Callable[[Any], str]
) -> Any:
    """One of a few, or nothing."""
    return place.selectbox(
        label,
        options,
        None,
        key=f"journal_{name}",
        format_func=shown,
        placeholder="All",
        **KEPT,
    )


def columns(people: Names, wanted: Wanted) -> list[tables.Column[EntryRow]]:
    """The columns of the list; with a ledger searched for, also what its own lines add up to."""
    listed: list[tables.Column[EntryRow]] = [
        column("Booked", "booking_date", Kind.DAY),
        column("Reference", "reference"),
        column("Narration", "narration", key=True, width=250),
        column("Amount", "amount_minor", Kind.AMOUNT, key=True, currency=lambda row: row.currency),
        column("By", lambda row: people.person(row.actor_id)),
        column("Branch", lambda row: branch_names.get(row.branch_id, "")),
        column("Kind", "kind", Kind.STATE),
        column("State", "state", Kind.STATE),
    ]
    if wanted.names_a_ledger:
        listed.insert(
            4,
            column(
                "Its lines", "matched_minor", Kind.SIDE, key=True, currency=lambda row: row.currency
            ),
        )
    return listed


def the_list(wanted: Wanted) -> EntryRow | None:
    """One page of entries; the one that was chosen."""
    way, place = st.session_state.get(PLACE, ("older", None))
    page = journal.entries(
        desk,
        wanted,
        older_than=place if way == "older" else None,
        newer_than=place if way == "newer" else None,
    )
    if not page.rows:
        ui.empty("No entry fits.", "Take more days, or search for less.")
        return None
    actors = tuple(sorted({row.actor_id for row in page.rows}))
    people = known.people(desk, actors)
    chosen = tables.choose(
        page.rows,
        columns(people, wanted),
        key="journal",
        id_of=lambda row: row.id,
        of=page.found if page.found <= journal.COUNTED_UP_TO else None,
        prompt="Choose an entry",
        file_name="journal.csv",
    )
    if page.found > journal.COUNTED_UP_TO:
        st.caption(f"More than {journal.COUNTED_UP_TO:,} entries fit; newest first.")
    for line_sum in page.sums or ():
        st.caption(
            f"Sum of {words.counted(line_sum.lines, 'line')}: "
            f"debits {money.show_side(line_sum.debit_minor, line_sum.currency)}, "
            f"credits {money.show_side(line_sum.credit_minor, line_sum.currency)}, "
            f"net {money.show_side(line_sum.net_minor, line_sum.currency)}"
        )
    turn(page.newer, page.older)
    return chosen


def turn(newer: Place | None, older: Place | None) -> None:
    """The two ways to another page."""
    with st.container(horizontal=True):
        if st.button(
            "Newer", key="journal_newer", disabled=newer is None, icon=":material/chevron_left:"
        ):
            st.session_state[PLACE] = ("newer", newer)
            st.rerun()
        if st.button(
            "Older", key="journal_older", disabled=older is None, icon=":material/chevron_right:"
        ):
            st.session_state[PLACE] = ("older", older)
            st.rerun()


def in_full(entry: EntryInFull) -> None:
    """Everything the book holds of one entry."""
    row = entry.row
    people = names.names_for(
        desk, [row.actor_id], [line.account_id for line in entry.lines if line.account_id]
    )

    def account_of(line: journal.EntryLine) -> str:
        if line.account_id is None:
            return ""
        number, holder = people.accounts.get(line.account_id, ("", ""))
        return f"{words.masked(number)} {holder}"

    st.header(f"Entry {row.reference}")
    st.markdown(words.badge(row.state))
    tables.facts(
        {
            "Narration": row.narration,
            "Kind": words.sentence(row.kind),
            "Booked": f"{words.day(row.booking_date)}, value date {words.day(row.value_date)}",
            "Entered": words.moment(row.booked_at),
            "By": f"{people.person(row.actor_id)}, {row.channel}",
            "Branch": branch_names.get(row.branch_id, ""),
            "Transaction id": entry.request_id,
        }
    )
    if row.reverses_id is not None:
        st.info(f"This reverses entry {row.reverses_id}. Reason: {words.plain(entry.reason or '')}")
    if row.reversed_by_id is not None:
        st.warning(f"Entry {row.reversed_by_id} has reversed this one.")
    tables.show(
        entry.lines,
        [
            column("Ledger account", lambda line: f"{line.gl_code} {line.gl_name}", key=True),
            column("Account", account_of),
            column("Branch", lambda line: branch_names.get(line.branch_id, "")),
            column("Amount", "amount_minor", Kind.SIDE, key=True, currency=lambda x: x.currency),
            column("Balance after", "balance_minor", Kind.SIDE, currency=lambda x: x.currency),
        ],
        key="journal_lines",
    )
    if row.kind in RECEIPTS and desk.may(Permission.RECEIPT_PRINT):
        ui.download(
            "Print receipt",
            lambda asking: receipts.print_receipt(asking, row.reference),
            permission=Permission.RECEIPT_PRINT,
            file_name=f"receipt-{row.reference}.pdf",
            mime="application/pdf",
            key="journal_receipt",
        )
    is_waiting = waiting.banner(desk, "entry", str(row.id))
    if desk.may(Permission.ENTRY_REVERSE) and row.state == "booked" and not is_waiting:
        reverse(row)


def reverse(row: EntryRow) -> None:
    """The form that reverses this very entry: its key carries the entry's number."""
    slip: Slip[str, Posted] = Slip("journal_reverse", row.id)
    if slip.step is Step.FILL:
        with st.form(slip.field("form")):
            reason = st.text_input(LABELS["reason"], key=slip.field("reason"))
            st.caption("An entry is never deleted. The reversal books the opposite lines.")
            if st.form_submit_button("Preview the reversal"):
                slip.preview(reason)
    elif slip.step is Step.PREVIEW and forms.confirm(
        slip,
        title="Reverse this entry?",
        facts={"Entry": row.reference, "Reason": slip.draft or "none given"},
        action="Reverse entry",
        amount_minor=row.amount_minor,
        currency=row.currency,
    ):
        with ui.attempt(labels=LABELS):
            try:
                posted = journal.reverse_entry(desk, row.id, slip.draft, slip.request_id)
                done = f"Entry {row.reference} is reversed by entry {posted.entry_id}."
            except AwaitingApproval as waits:
                done = f"The reversal of entry {row.reference} is not booked yet. {waits}"
            slip.clear()
            ui.renew(slip.name)
            ui.flash(done)
            st.rerun()


with ui.attempt(labels=LABELS):
    chosen = the_list(searched())
    asked: str = st.session_state.get("journal_entry", "")
    if asked.strip():
        in_full(journal.entry_in_full(desk, journal.find_entry(desk, asked)))
    elif chosen is not None:
        in_full(journal.entry_in_full(desk, chosen.id))
    else:
        st.caption("Choose an entry to see its lines.")
