"""The bank's own words: dates, ages, roles, masks and states, written the same on every page."""

import re
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from bank.core.clock import in_india
from bank.core.permissions import Role

ROLES: Final[dict[Role, str]] = {
    Role.CUSTOMER: "Customer",
    Role.CASHIER: "Cashier",
    Role.BANKER: "Banker",
    Role.EXECUTIVE: "Customer executive",
    Role.REVIEWER: "Transaction reviewer",
    Role.BRANCH_ADMIN: "Branch admin",
    Role.AUDITOR: "Auditor",
    Role.SUPER_ADMIN: "Super admin",
    Role.GUEST: "Visitor",
    Role.SYSTEM: "The bank",
}


class Tone(StrEnum):
    """The five tones of a state. Each is always shown with a word, never by colour alone."""

    NEUTRAL = "gray"
    INFO = "blue"
    SUCCESS = "green"
    WARNING = "orange"
    DANGER = "red"


# States of all floors, by the word the code uses. A word that is not here is neutral.
TONES: Final[dict[str, Tone]] = {
    "active": Tone.SUCCESS,
    "booked": Tone.SUCCESS,
    "claimed": Tone.INFO,
    "closed": Tone.NEUTRAL,
    "confirmed": Tone.SUCCESS,
    "counted": Tone.WARNING,
    "counting": Tone.WARNING,
    "coming": Tone.INFO,
    "credits only": Tone.WARNING,
    "current": Tone.INFO,
    "declined": Tone.DANGER,
    "decided": Tone.SUCCESS,
    "done": Tone.SUCCESS,
    "ended": Tone.NEUTRAL,
    "executed": Tone.SUCCESS,
    "expired": Tone.NEUTRAL,
    "failed": Tone.DANGER,
    "frozen": Tone.DANGER,
    "in force": Tone.SUCCESS,
    "invited": Tone.INFO,
    "locked": Tone.WARNING,
    "locked out": Tone.WARNING,
    "open": Tone.SUCCESS,
    "overdue": Tone.DANGER,
    "passed": Tone.SUCCESS,
    "pending": Tone.INFO,
    "planned": Tone.INFO,
    "read": Tone.INFO,
    "refused": Tone.DANGER,
    "prepared": Tone.INFO,
    "removed": Tone.NEUTRAL,
    "rejected": Tone.DANGER,
    "requested": Tone.INFO,
    "returned": Tone.WARNING,
    "reversed": Tone.WARNING,
    "revoked": Tone.DANGER,
    "sending": Tone.INFO,
    "sent": Tone.SUCCESS,
    "shown": Tone.SUCCESS,
    "unassigned": Tone.NEUTRAL,
    "urgent": Tone.WARNING,
    "waiting": Tone.INFO,
    "withdrawn": Tone.NEUTRAL,
    "solved": Tone.SUCCESS,
    "waits for you": Tone.WARNING,
    "with the bank": Tone.INFO,
}
# How an attempt to sign in ended, as its owner reads it.
OUTCOMES: Final[dict[str, str]] = {
    "tried": "Not finished",
    "refused": "Refused",
    "code_due": "Stopped before the code",
    "set_up_due": "Stopped before the device was set up",
    "password_due": "Stopped before a new password",
    "passed": "Not opened",
    "opened": "Signed in",
    "unlocked": "Unlocked",
    "ended": "Ended before it was finished",
}
ENDED: Final[dict[str, str]] = {
    "signed_out": "You are signed out.",
    "signed_out_everywhere": "You were signed out everywhere.",
    "revoked": "This session was ended from another browser of yours.",
    "password_changed": "Your password was changed, which ended this session.",
    "password_reset": "Your password was reset. Choose a new one by the link in your mail.",
    "device_reset": "Your device for codes was reset. Sign in to set up another one.",
    "device_changed": "A device for codes was set up, which ended this session.",
    "expired": "Your session was over: it lasts one working day at most.",
}
ENDED_BY_THE_BANK: Final = "The bank has ended this session. Ask your branch if that is a surprise."
# The first sign that is found names it: Edge also says Chrome, and Chrome also says Safari.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")
# Streamlit makes links of what looks like one, escaped or not; nobody else chooses our links.
_LINK: Final = re.compile(r"(@|://|www(?=\.))", re.IGNORECASE)
_JOINER: Final = "\u2060"  # takes no room, and is no letter


@lru_cache(maxsize=20_000)  # the same cells come again with every rerun
def plain(text: str) -> str:
    """Text that somebody typed, so that Markdown shows it and does not obey it."""
    return _MARKDOWN.sub(r"\\\1", _LINK.sub(rf"\1{_JOINER}", " ".join(text.split())))


def plain_lines(text: str) -> str:
    """The same for a text of several lines: each stays a line, an empty one parts paragraphs."""
    return "  \n".join(plain(line) or "\u00a0" for line in text.splitlines())


def day(value: date | None) -> str:
    """`21 Nov 2026`; a dash where there is no date."""
    return f"{value.day} {value:%b %Y}" if value else "-"


def moment(value: datetime | None) -> str:
    """`21 Nov 2026, 14:05`, as the clock in the branch shows it; a dash where there is none."""
    if value is None:
        return "-"
    local = in_india(value)
    return f"{day(local.date())}, {local:%H:%M}"


def moment_or(value: datetime | None, otherwise: str) -> str:
    """The moment, or a word where there is none."""
    return moment(value) if value else otherwise


def age(then: datetime, now: datetime) -> str:
    """`just now`, `5 minutes ago`, `in 2 days`: how far apart two instants are."""
    gap = now - then
    ahead = gap < timedelta()
    seconds = int(abs(gap).total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if count := seconds // size:
            words = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"in {words}" if ahead else f"{words} ago"
    return "in a moment" if ahead else "just now"


def masked(number: str) -> str:
    """An account number with all but the last four digits hidden: `•••• 1234`."""
    return f"•••• {number[-4:]}" if len(number) > 4 else number


def role_name(role: Role) -> str:
    """The role as people say it."""
    return ROLES[role]


def written_out(value: object) -> str:
    """A filter as the trail keeps it: `yes`, a day as ISO text, nothing for nothing."""
    if value is None or value is False:
        return ""
    if isinstance(value, bool):
        return "yes"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def sentence(code: str) -> str:
    """A word of the code as people read it: `credits_only` becomes `Credits only`."""
    text = code.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 entry`, `1,284 entries`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def tone_of(state: str) -> Tone:
    """The tone a state is always shown in."""
    return TONES.get(state.replace("_", " ").lower(), Tone.NEUTRAL)


def badge(word: str, tone: Tone | None = None) -> str:
    """Markdown of a coloured badge with its word in it."""
    return f":{tone or tone_of(word)}-badge[{plain(sentence(word))}]"


def browser(agent: str) -> str:
    """`Chrome on Windows`: what a browser's own name for itself comes down to."""
    name = next((shown for sign, shown in _BROWSERS if sign in agent), "Another browser")
    system = next((shown for sign, shown in _SYSTEMS if sign in agent), "")
    return f"{name} on {system}" if system else name
