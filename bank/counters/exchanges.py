"""Exchanges: other notes and coins for the same money, at an open drawer. No entry is booked."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from bank.book.drafts import RequestReused
from bank.core import money
from bank.core.db import Base
from bank.core.desk import Tx, command
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.counters import drawers, tallies
from bank.counters.slips import LONGEST_PERSON
from bank.counters.tallies import Pieces
from bank.people.fields import clean_text

IN_FIELD: Final = "notes and coins in"
OUT_FIELD: Final = "notes and coins out"


class NotTheSame(BadInput):
    """What is given out must be worth what comes in. Count both again."""


class CashExchange(Base):
    """One exchange, with both tallies."""

    __tablename__ = "cash_exchanges"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        UniqueConstraint("request_id"),
        Index("ix_cash_exchanges_drawer_id", "drawer_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    drawer_id: Mapped[int] = mapped_column(ForeignKey("drawers.id"))
    request_id: Mapped[str] = mapped_column(String(36))
    amount_minor: Mapped[int]
    in_tally_id: Mapped[int] = mapped_column(ForeignKey("tallies.id"))
    out_tally_id: Mapped[int] = mapped_column(ForeignKey("tallies.id"))
    person: Mapped[str] = mapped_column(String(LONGEST_PERSON))
    exchanged_at: Mapped[datetime]
    cashier_id: Mapped[int]


@command(Permission.CASH_POST)
def exchange(
    tx: Tx, pieces_in: Pieces, pieces_out: Pieces, person: str = "", *, request_id: str
) -> int:
    """Give other notes and coins for the same money; answers its number."""
    who = clean_text(person, field="person", longest=LONGEST_PERSON, may_be_empty=True)
    amount_minor = money.check_positive(
        tallies.worth(tx, pieces_in, field=IN_FIELD), field=IN_FIELD
    )
    given = tallies.worth(tx, pieces_out, field=OUT_FIELD)
    if given != amount_minor:
        raise NotTheSame(
            f"{money.show(amount_minor)} came in and {money.show(given)} would go out. Both must "
            "be the same: count again.",
            field=OUT_FIELD,
        )
    known = tx.session.scalar(select(CashExchange).where(CashExchange.request_id == request_id))
    if known is not None:
        same = (amount_minor, who, tx.desk.user_id)
        if (known.amount_minor, known.person, known.cashier_id) != same:
            raise RequestReused
        return known.id
    drawer_id = drawers.own_open_drawer(tx, hold="share")
    assert tx.desk.user_id is not None
    row = CashExchange(
        drawer_id=drawer_id,
        request_id=request_id,
        amount_minor=amount_minor,
        in_tally_id=tallies.keep_tally(tx, pieces_in, field=IN_FIELD).id,
        out_tally_id=tallies.keep_tally(tx, pieces_out, field=OUT_FIELD).id,
        person=who,
        exchanged_at=tx.now,
        cashier_id=tx.desk.user_id,
    )
    tx.session.add(row)
    try:
        tx.session.flush()
    except IntegrityError:  # the same request from another window at the same moment
        raise RequestReused from None
    tx.concerns("exchange", row.id)
    return row.id
