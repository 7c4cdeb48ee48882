"""Writes the demo bank's deeds down, each as the verb of that name would have: entry, paper, trail.

All of it goes into the one transaction of the seeding; a desk and a moment of the past are given to
the ledger for each deed, so that entries carry who acted and when.
"""

import heapq
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, update

from bank.book import holds, ledger
from bank.core.clock import FixedClock
from bank.core.desk import CATALOGUE, Desk, Tx, add_to_trail, open_tx
from bank.core.ids import fingerprint, new_token
from bank.core.outbox import Message, MessageStatus
from bank.core.permissions import Role
from bank.counters.drawer_cash import MoveKind, put_in_vault
from bank.counters.slips import DEPOSIT, Transfer, keep_slip
from bank.night.demo_cash_deeds import Remitted, TillClosed, TillOpened, VaultCounted
from bank.night.demo_cashbook import CashBook, fewest_pieces
from bank.night.demo_deeds import (
    Booked,
    CashMoved,
    Deed,
    Done,
    HeldBack,
    Mistyped,
    MoneySent,
    Opened,
    Undone,
    Visited,
)
from bank.people.attempts import SignInRefused
from bank.people.rules import rules
from bank.people.sessions import Session, SessionStatus, guest
from bank.people.sign_ins import SignIn, SignInStatus

BROWSERS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile "
    "Safari/537.36",
)


class Scribe:
    """The one who writes. `tx` is the seeding's transaction, `clock` that of the story's bank."""

    def __init__(self, tx: Tx, clock: FixedClock) -> None:
        self._connection = tx.connection
        self._clock = clock
        self._after_commit = tx.after_commit
        self._entries: dict[str, int] = {}  # by request id, for reversals
        self._tills = CashBook()
        self._leaving: list[tuple[datetime, int, Desk]] = []

    def write(self, deed: Deed) -> None:
        """Write one deed down; deeds come in the order of their moments."""
        self._leave_until(deed.at)
        tx = self._view(deed.by, deed.at)
        match deed:
            case Booked():
                ledger.post_many(tx, deed.drafts)
                put_in_vault(tx, deed.drafts, MoveKind.REMITTED)
            case CashMoved():
                self._cash(tx, deed)
            case TillOpened() | TillClosed() | Remitted() | VaultCounted():
                self._at_the_vault(tx, deed)
            case MoneySent():
                self._transfer(tx, deed)
            case Undone():
                self._undo(tx, deed)
            case HeldBack():
                _hold(tx, deed)
            case Opened():
                _opened(tx, deed)
            case Done():
                _do(tx, deed)
            case Visited() | Mistyped():
                self._come(deed)

    def _at_the_vault(
        self, tx: Tx, deed: TillOpened | TillClosed | Remitted | VaultCounted
    ) -> None:
        match deed:
            case TillOpened():
                self._tills.open(tx, self._view(deed.custodian, deed.at), deed)
            case TillClosed():
                custodian = self._view(deed.custodian, deed.at)
                self._tills.close(tx, custodian, self._view(deed.supervisor, deed.at), deed)
            case Remitted():
                self._remit(tx, deed)
            case VaultCounted():
                self._tills.count_vault(tx, self._view(deed.second, deed.at))

    def _remit(self, tx: Tx, deed: Remitted) -> None:
        asked = {
            "way": deed.way,
            "pieces": fewest_pieces(tx, deed.amount_minor),
            "paper": deed.paper,
            "request_id": deed.request_id,
        }
        made: list[int] = []
        _do(tx, _named(deed, "counters.remittances.ask_to_remit", asked, made.append))
        second = self._view(deed.second, deed.at)
        confirmed = {"remittance_id": made[0]}
        _do(second, _named(deed, "counters.remittances.confirm_remittance", confirmed))

    def _come(self, deed: Visited | Mistyped) -> None:
        if isinstance(deed, Visited):
            self._visit(deed)
        else:
            self._mistype(deed)

    def finish(self, now: datetime) -> None:
        """Whoever is still signed in leaves."""
        self._leave_until(now)

    def _view(self, desk: Desk, at: datetime) -> Tx:
        self._clock.at = at
        view = open_tx(desk, self._connection)
        view.after_commit = self._after_commit  # it is one transaction
        return view

    def _cash(self, tx: Tx, deed: CashMoved) -> None:
        draft, drawer_id = deed.draft, self._tills.drawer_of(deed.by)
        if deed.handed_minor > 0:
            self._hand(tx, drawer_id, deed)
        posted = ledger.post(tx, draft)
        self._entries[draft.request_id] = posted.entry_id
        keep_slip(
            tx,
            posted,
            kind=draft.kind,
            slip_number=deed.slip_number,
            account_id=deed.purse.account_id,
            person=deed.person,
            note="",
            drawer_id=drawer_id,
        )
        comes = draft.kind == DEPOSIT
        tx.concerns("account", deed.purse.number)
        add_to_trail(
            tx,
            "counters.cash.deposit" if comes else "counters.cash.withdraw",
            {
                "account_number": deed.purse.number,
                "amount_minor": deed.amount_minor,
                "slip_number": deed.slip_number,
                "depositor" if comes else "bearer": deed.person,
                "request_id": draft.request_id,
                "entry_id": posted.entry_id,
            },
        )

        if deed.handed_minor < 0:
            self._hand(tx, drawer_id, deed)

    def _hand(self, tx: Tx, drawer_id: int, deed: CashMoved) -> None:
        custodian = self._view(self._tills.custodian_of(drawer_id), deed.at)
        self._tills.hand(tx, custodian, drawer_id, deed)

    def _transfer(self, tx: Tx, deed: MoneySent) -> None:
        posted = ledger.post(tx, deed.draft)
        tx.connection.execute(
            insert(Transfer),
            {
                "entry_id": posted.entry_id,
                "from_account_id": deed.payer.account_id,
                "to_account_id": deed.payee.account_id,
                "amount_minor": deed.amount_minor,
                "note": deed.note,
                "sent_by": deed.by.user_id,
                "sent_at": deed.at,
            },
        )
        tx.concerns("account", deed.payer.number)
        add_to_trail(
            tx,
            "counters.transfers.post_transfer",
            {
                "from_number": deed.payer.number,
                "to_number": deed.payee.number,
                "amount_minor": deed.amount_minor,
                "note": deed.note,
                "request_id": deed.draft.request_id,
                "entry_id": posted.entry_id,
            },
        )

    def _undo(self, tx: Tx, deed: Undone) -> None:
        first = self._entries[deed.first_request_id]
        posted = ledger.reverse(tx, first, reason=deed.reason, request_id=deed.request_id)
        tx.concerns("entry", first)
        tx.changed({"state": "booked"}, {"state": "reversed", "reversed_by_id": posted.entry_id})
        add_to_trail(tx, "book.journal.reverse_entry", {"entry_id": first, "reason": deed.reason})

    def _visit(self, deed: Visited) -> None:
        """A sign-in, and later the sign-out."""
        tx = self._at_the_door(deed)
        agent = BROWSERS[deed.by.role is Role.CUSTOMER]
        session_id = tx.connection.execute(
            insert(Session).returning(Session.id),
            {
                "fingerprint": fingerprint(new_token()),
                "user_id": deed.by.user_id,
                "status": SessionStatus.ENDED,
                "opened_at": deed.at,
                "last_seen_at": deed.until,
                "expires_at": deed.at + timedelta(hours=rules(tx).session_hours),
                "ended_at": deed.until,
                "ended_because": "signed_out",
                "from_where": deed.by.from_where,
                "agent": agent,
            },
        ).scalar_one()
        _sign_in(tx, deed, SignInStatus.OPENED, session_id)
        tx.concerns("user", deed.by.user_id)
        tx.facts["session"] = session_id
        add_to_trail(tx, "people.sign_in.open_session", {"agent": agent})
        heapq.heappush(self._leaving, (deed.until, session_id, deed.by))

    def _mistype(self, deed: Mistyped) -> None:
        tx = self._at_the_door(deed)
        _sign_in(tx, deed, SignInStatus.REFUSED, None)
        tx.concerns("user", deed.by.user_id)
        tx.facts["why"] = "wrong password"
        refusal = f"SignInRefused: {SignInRefused()}"
        add_to_trail(tx, "people.sign_in.enter_password", {}, refusal)

    def _at_the_door(self, deed: Deed) -> Tx:
        """Whoever is not signed in yet is a guest, from the same address."""
        return self._view(guest(deed.by.bank, deed.by.from_where), deed.at)

    def _leave_until(self, now: datetime) -> None:
        while self._leaving and self._leaving[0][0] <= now:
            at, session_id, desk = heapq.heappop(self._leaving)
            tx = self._view(desk, at)
            tx.concerns("session", session_id)
            add_to_trail(tx, "people.sessions.sign_out", {})


def _named(
    deed: Deed,
    verb: str,
    named: Mapping[str, object],
    keep: Callable[[Any], None] = lambda _: None,
) -> Done:
    """A command that is part of a deed."""
    return Done(at=deed.at, by=deed.by, verb=verb, named=lambda: named, keep=keep)


def _do(tx: Tx, deed: Done) -> None:
    """A command with its trail; the mails it wrote left in their time."""
    named = dict(deed.named())
    if deed.agreed_by:
        tx.facts["checker"] = deed.agreed_by
    deed.keep(CATALOGUE[deed.verb].inner(tx, **named))
    add_to_trail(tx, deed.verb, named)
    tx.connection.execute(
        update(Message)
        .where(Message.status == MessageStatus.WAITING, Message.queued_at == tx.now)
        .values(status=MessageStatus.SENT, attempts=1, sent_at=tx.now)
    )


def _opened(tx: Tx, deed: Opened) -> None:
    tx.concerns("account", deed.purse.number)
    add_to_trail(tx, "accounts.accounts.open_account", {"product_code": deed.purse.product})


def _hold(tx: Tx, deed: HeldBack) -> None:
    account_id = deed.purse.account_id
    before = ledger.balance_of(tx, account_id).held_minor
    holds.place(tx, account_id, deed.amount_minor, deed.reason)
    tx.concerns("balance", account_id)
    tx.changed({"held_minor": before}, {"held_minor": before + deed.amount_minor})
    details = {"account_id": account_id, "amount_minor": deed.amount_minor, "reason": deed.reason}
    add_to_trail(tx, "book.holds.place_hold", details)


def _sign_in(tx: Tx, deed: Deed, status: SignInStatus, session_id: int | None) -> None:
    tx.connection.execute(
        insert(SignIn),
        {
            "user_id": deed.by.user_id,
            "session_id": session_id,
            "status": status,
            "at": deed.at,
            "from_where": deed.by.from_where,
            "agent": BROWSERS[deed.by.role is Role.CUSTOMER],
            "code_tries": 0,
        },
    )
