"""The trail: who did what, when, from where, with what before and after. Append only.

A row is written for every command that happened, every refusal, every sign-in
(those are commands too) and, once per session and object in fifteen minutes,
for a read of customer data. Triggers refuse every update and delete.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Any, Final

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base, marks
from bank.core.secrets import Secret
from bank.core.texts import spelled

READ_RECORDED_EVERY_MINUTES: Final = 15
LONGEST_DETAIL: Final = 4_000


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    READ = "read"
    WAITING = "waiting"  # for a second person; done or refused comes later


class TrailRecord(Base):
    """One row of the trail. `details`, `before` and `after` are JSON objects."""

    __tablename__ = "trail"
    __table_args__ = (
        Index("ix_trail_object", "object_kind", "object_id"),
        Index("ix_trail_session_id", "session_id", "object_kind", "object_id", "at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    verb: Mapped[str] = mapped_column(String(80), index=True)
    outcome: Mapped[str] = mapped_column(String(8))
    actor_id: Mapped[int | None] = mapped_column(index=True)
    actor_name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(16))
    branch_id: Mapped[int | None]
    session_id: Mapped[int | None]
    channel: Mapped[str] = mapped_column(String(16))
    from_where: Mapped[str] = mapped_column(String(64))
    object_kind: Mapped[str | None] = mapped_column(String(32))
    object_id: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[str] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    refusal: Mapped[str | None] = mapped_column(String(300))
    on_behalf_of: Mapped[int | None]  # the customer whose portal the actor looked at


COLUMNS: Final = (
    "at",
    "verb",
    "outcome",
    "actor_id",
    "actor_name",
    "role",
    "branch_id",
    "session_id",
    "channel",
    "from_where",
    "object_kind",
    "object_id",
    "details",
    "before",
    "after",
    "refusal",
    "on_behalf_of",
)
_INSERT: Final = (
    f"INSERT INTO trail ({', '.join(COLUMNS)}) "  # noqa: S608 - a constant list
    f"VALUES ({', '.join('?' * len(COLUMNS))})"
)
INSERT_FOR: Final = {dialect: marks(dialect, _INSERT) for dialect in ("sqlite", "postgresql")}


def plain(value: object) -> object:
    """The value as JSON can hold it; a Secret stays `***`."""
    if isinstance(value, str):
        return spelled(value.value if isinstance(value, Enum) else value)
    if value is None or isinstance(value, bool | int | float):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Secret):
        return "***"
    if isinstance(value, bytes):  # the content of a file: the trail keeps no second copy
        return f"{len(value)} bytes"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {spelled(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value][:50]
    return spelled(repr(value))


def as_json(value: Mapping[str, object] | None) -> str | None:
    """A JSON object of at most LONGEST_DETAIL characters (longer ones say that they were cut)."""
    if value is None:
        return None
    text = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    if len(text) > LONGEST_DETAIL:
        # Quotes and backslashes of the part that is kept are written with one more character each.
        text = json.dumps({"cut": text[: LONGEST_DETAIL // 2 - 10]}, ensure_ascii=False)
    return text


def arguments(
    names: tuple[str, ...], args: tuple[Any, ...], named: Mapping[str, Any]
) -> dict[str, object]:
    """A verb's arguments by name, as the trail keeps them."""
    return {**dict(zip(names, args, strict=False)), **named}
