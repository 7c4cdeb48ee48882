"""The dated rules of the floors below, as head office sets them: what each column means, and what
may stand in it. Those of upper floors are declared where they are read."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select

from bank.core import hours
from bank.core.approval_rules import ApprovalRule, Window
from bank.core.checkers import roles_in
from bank.core.desk import CATALOGUE, Tx
from bank.core.errors import BadInput
from bank.core.hours import EVERY_WEEK, WHOLE_BANK, OpeningHours
from bank.core.permissions import GRANTS, STAFF, Permission
from bank.core.permissions import WHOLE_BANK as SEE_WHOLE_BANK
from bank.core.work_tables import KINDS, Priority, WorkRule, WorkSpan
from bank.office.approval_risks import ApprovalRiskRule
from bank.office.holidays import TURNS, WEEKDAYS
from bank.office.queue_many import FOR_SECONDS, QueueRule
from bank.office.rule_tables import (
    DAY_MINUTES,
    Field,
    RuleTable,
    Unit,
    Values,
    always,
    deciding,
    of_numbers,
    register,
)
from bank.office.ticket_tables import TicketCategory, TicketRule
from bank.people import rules as security
from bank.people.branches import Branch
from bank.people.leaving import LeavingReason
from bank.people.rules import SecurityRule

LEVELS: Final = {1: "level 1", 2: "level 2", 3: "level 3"}
WINDOWS: Final = {Window.SINGLE.value: "one request", Window.DAY.value: "a day and account"}
MONTH_OF_WEEKS: Final = 35  # days: every weekday in each of its turns


class NobodyToDecide(BadInput):
    """This belongs to head office, and whom you name sees a branch alone. Name the super admin,
    too."""


class NeverOpen(BadInput):
    """With this it would never be open, and no deadline could be counted. Leave some day open."""


def commands(tx: Tx) -> Mapping[str, str]:
    """The commands that can need a second person, by what they do."""
    return {
        verb.name: verb.sentence.rstrip(".")
        for verb in sorted(CATALOGUE.values(), key=lambda verb: verb.sentence)
        if verb.check is not None
    }


def _roles(tx: Tx) -> Mapping[str, str]:
    return {"": "every role", **{role.value: role.value.replace("_", " ") for role in STAFF}}


def _tightens(key: Values, before: Values | None, after: Values) -> bool:
    """More is asked of a second person, and nobody else is asked: that may begin at once."""
    asked = roles_in(str(after["checkers"]))
    if before is None or not before["checkers"]:
        return bool(asked)
    old, new = (_rekeyed(values) for values in (before, after))
    return (
        bool(asked)
        and asked <= roles_in(str(before["checkers"]))
        and _number(after, "amount_above_minor") <= _number(before, "amount_above_minor")
        and (after["period"] == before["period"] or after["period"] == Window.DAY.value)
        and (old is None or (new is not None and new <= old))
        and _number(after, "expires_hours") <= _number(before, "expires_hours")
    )


def _number(values: Values, name: str) -> int:
    found = values[name]
    assert isinstance(found, int), f"{name} is a number"
    return found


def _rekeyed(values: Values) -> int | None:
    found = values["rekey_above_minor"]
    return found if isinstance(found, int) else None


def _somebody_decides(tx: Tx, key: Values, values: Values | None, day: date) -> None:
    """What head office alone may do has no branch, so who sees only one could not decide it."""
    named = roles_in(str(values["checkers"])) if values is not None else frozenset()
    right = CATALOGUE[str(key["command"])].permission
    makers = {role for role in STAFF if right in GRANTS[role]}
    if named and makers and makers <= SEE_WHOLE_BANK and not named & SEE_WHOLE_BANK:
        raise NobodyToDecide(field="checkers")


APPROVALS: Final = register(
    RuleTable(
        name="approval_rules",
        title="Second persons",
        about="Which acts wait for a second person, above which amount, and who decides.",
        model=ApprovalRule,
        key=(
            Field(name="command", label="Act", unit=Unit.CHOICE, choices=commands),
            Field(name="role", label="Done by", unit=Unit.CHOICE, choices=_roles, silent=""),
            Field(name="kind", label="Kind", unit=Unit.TEXT, longest=32, empty="every kind",
                  silent="", is_code=True),
            Field(name="level", label="Level", unit=Unit.CHOICE, choices=lambda tx: LEVELS,
                  silent=1),
        ),
        values=(
            Field(name="amount_above_minor", label="Above", unit=Unit.AMOUNT),
            Field(name="period", label="Compared with", unit=Unit.CHOICE,
                  choices=lambda tx: WINDOWS, made=Window),
            Field(name="checkers", label="Decided by", unit=Unit.ROLES, choices=deciding,
                  empty="nobody: it does not wait"),
            Field(name="rekey_above_minor", label="Amount typed again above", unit=Unit.AMOUNT,
                  empty="never"),
            Field(name="expires_hours", label="Expires after", noun="hour", lowest=1, highest=720),
        ),
        may_add=True,
        from_today=_tightens,
        check=_somebody_decides,
    )
)  # fmt: skip


def _kinds(tx: Tx) -> Mapping[str, str]:
    return {kind.name: kind.title for kind in KINDS.values()}


def _in_order(key: Values, values: Values) -> None:
    """The first reply comes before the solution."""
    if _number(values, "first_minutes") > _number(values, "solve_minutes"):
        raise BadInput("The first reply comes before the solution.", field="first_minutes")


WORK: Final = register(
    RuleTable(
        name="work_rules",
        title="Promises of the queues",
        about="In how many open minutes a case has its first reply and its solution, and when a"
        " claim runs out. Deadlines that were promised stay.",
        model=WorkRule,
        key=(
            Field(name="kind", label="Queue", unit=Unit.CHOICE, choices=_kinds),
            Field(name="priority", label="Priority", unit=Unit.CHOICE,
                  choices=lambda tx: Priority.NAMES),
        ),
        values=(
            Field(name="first_minutes", label="First reply", noun="open minute", highest=60_000),
            Field(name="solve_minutes", label="Solved", noun="open minute", lowest=1,
                  highest=60_000),
            Field(name="claim_minutes", label="Claim runs out", noun="minute", lowest=1,
                  highest=DAY_MINUTES),
        ),
        from_today=always,
        sane=_in_order,
    )
)  # fmt: skip


SPANS: Final = register(
    RuleTable(
        name="work_spans",
        title="Next replies and handed over cases",
        about="In how many open minutes the customer has the next reply, and how long a case that"
        " was handed to somebody waits for them. Deadlines that were promised stay.",
        model=WorkSpan,
        key=WORK.key,
        values=(
            Field(name="reply_minutes", label="Next reply", noun="open minute", highest=60_000),
            Field(name="assigned_minutes", label="Waits for its new owner", noun="open minute",
                  lowest=1, highest=60_000),
        ),
        from_today=always,
    )
)  # fmt: skip


QUEUES: Final = register(
    of_numbers(
        name="queue_rules",
        title="Several items at once",
        about="How long whoever claimed several items, or handed them over, may undo it.",
        model=QueueRule,
        named=(
            Field(name=FOR_SECONDS, label="May be undone for", noun="second", highest=3_600),
        ),
        from_today=always,
    )
)  # fmt: skip


def _places(tx: Tx) -> Mapping[int, str]:
    rows = tx.connection.execute(select(Branch.id, Branch.name).order_by(Branch.id))
    return {WHOLE_BANK: "the whole bank", **{branch_id: name for branch_id, name in rows}}


def _weekdays(tx: Tx) -> Mapping[int, str]:
    return dict(enumerate(WEEKDAYS, start=1))


def _turns(tx: Tx) -> Mapping[int, str]:
    return {at: "every week" if at == EVERY_WEEK else f"the {turn} of a month"
            for at, turn in enumerate(TURNS)}  # fmt: skip


def _times(key: Values, values: Values) -> None:
    """It closes after it opens, and the whole bank has hours for every weekday."""
    opens, closes = values["opens_minute"], values["closes_minute"]
    if (opens is None) != (closes is None):
        missing = "opens_minute" if opens is None else "closes_minute"
        raise BadInput("Give both times, or neither.", field=missing)
    if opens is None and key["branch_id"] == WHOLE_BANK and key["week_of_month"] == EVERY_WEEK:
        raise BadInput("The whole bank has hours of its own.", field="opens_minute")
    if isinstance(opens, int) and isinstance(closes, int) and closes < opens:
        raise BadInput("It closes after it opens.", field="closes_minute")


def _some_day_is_open(tx: Tx, key: Values, values: Values | None, day: date) -> None:
    """Every branch is open on some day of a month."""
    own = set(tx.session.scalars(select(OpeningHours.branch_id).distinct()))
    for place in own | {WHOLE_BANK}:
        calendar = hours.Calendar(hours.hours_of(tx, place), {})
        month = (day + timedelta(days=at) for at in range(MONTH_OF_WEEKS))
        if all(calendar.open_on(one) is None for one in month):
            raise NeverOpen(field="opens_minute")


HOURS: Final = register(
    RuleTable(
        name="opening_hours",
        title="Opening hours",
        about="When the bank, or one branch, is open: every deadline counts these hours. The same"
        " time twice is a closed day. Deadlines that were promised stay.",
        model=OpeningHours,
        key=(
            Field(name="branch_id", label="Where", unit=Unit.CHOICE, choices=_places,
                  silent=WHOLE_BANK),
            Field(name="weekday", label="Weekday", unit=Unit.CHOICE, choices=_weekdays),
            Field(name="week_of_month", label="Which", unit=Unit.CHOICE, choices=_turns,
                  silent=EVERY_WEEK),
        ),
        values=(
            Field(name="opens_minute", label="Opens", unit=Unit.TIME, empty="as otherwise"),
            Field(name="closes_minute", label="Closes", unit=Unit.TIME, empty="as otherwise"),
        ),
        may_add=True,
        read=Permission.CALENDAR_VIEW,
        sane=_times,
        check=_some_day_is_open,
        changes=hours.changes,
    )
)  # fmt: skip

CATEGORIES: Final = register(
    RuleTable(
        name="ticket_categories",
        title="Categories of tickets",
        about="What a customer can write about, and how pressing that is.",
        model=TicketCategory,
        key=(Field(name="code", label="Code", unit=Unit.TEXT, longest=24, is_code=True),),
        values=(
            Field(name="name", label="Name", unit=Unit.TEXT, longest=60),
            Field(name="priority", label="Priority", unit=Unit.CHOICE,
                  choices=lambda tx: Priority.NAMES),
        ),
        may_add=True,
        from_today=always,
    )
)  # fmt: skip

TICKETS: Final = register(
    of_numbers(
        name="ticket_rules",
        title="Rules of tickets",
        about="How long a ticket may be opened again and scored, how long it may rest, for how"
        " long a reply may be taken back, and what files it takes.",
        model=TicketRule,
        named=(
            Field(name="reopen_days", label="May be opened again for", noun="day", lowest=1,
                  highest=366),
            Field(name="ombudsman_days", label="The Ombudsman may be asked after", noun="day",
                  lowest=1, highest=366),
            Field(name="score_days", label="May be scored for", noun="day", lowest=1, highest=366),
            Field(name="usual_of_tickets", label="Usual is told from the newest solved",
                  noun="ticket", lowest=1, highest=1_000),
            Field(name="usual_least_tickets", label="Usual is told from at least",
                  noun="ticket", lowest=1, highest=1_000),
            Field(name="post_files", label="Files with one message", highest=10),
            Field(name="file_megabytes", label="Size of a file, at most", noun="MB", lowest=1,
                  highest=25),
            Field(name="longest_snooze_days", label="A claimed ticket may rest for", noun="day",
                  lowest=1, highest=366),
            Field(name="undo_reply_seconds", label="A reply may be taken back for", noun="second",
                  highest=60),
        ),
    )
)  # fmt: skip


RISKS: Final = register(
    of_numbers(
        name="approval_risk_rules",
        title="What makes a checker look twice",
        about="From when on an account is no longer new, and what is unusual for its maker."
        " Nothing is forbidden by it.",
        model=ApprovalRiskRule,
        named=(
            Field(name="opened_days", label="An account is new for", noun="day", highest=3_660),
            Field(name="first_entry_days", label="Its first entry is recent for", noun="day",
                  highest=3_660),
            Field(name="usual_percent", label="Unusual above, of what is usual", noun="percent",
                  lowest=100, highest=10_000),
            Field(name="usual_days", label="Usual is what was approved within", noun="day",
                  lowest=1, highest=3_660),
            Field(name="rejected_days", label="A no is remembered for", noun="day", highest=3_660),
        ),
        from_today=always,
    )
)  # fmt: skip

REASONS: Final = register(
    RuleTable(
        name="leaving_reasons",
        title="Reasons for leaving",
        about="Why an employee has left, as it is kept with them.",
        model=LeavingReason,
        key=(Field(name="code", label="Code", unit=Unit.TEXT, longest=24, is_code=True),),
        values=(Field(name="name", label="Name", unit=Unit.TEXT, longest=60),),
        may_add=True,
        from_today=always,
    )
)  # fmt: skip


def _security() -> Iterable[Field]:
    """Names, labels, what they count, and what the bank's own machinery can bear."""
    for name, label, noun, lowest, highest in (
        ("tries", "Wrong tries before a lock", "", 1, 100),
        ("locked_minutes", "Locked for", "minute", 1, 1_440),
        ("password_characters", "Characters of a password", "", 1, 64),
        ("password_score", "Strength of a password, 0 to 4", "", 0, 4),
        ("sign_in_minutes", "From the password to the session", "minute", 1, 60),
        ("code_minutes", "A code is good for", "minute", 1, 60),
        ("code_tries", "Wrong codes", "", 1, 100),
        ("unused_codes", "Codes sent and not used", "", 1, 100),
        ("unused_codes_minutes", "Unused codes are counted over", "minute", 1, 1_440),
        ("another_code_seconds", "Another code after", "second", 1, 600),
        ("ticket_seconds", "Redirect after signing in", "second", 5, 120),
        ("idle_minutes", "A session locks after", "minute", 1, 1_440),
        ("session_hours", "A session lasts", "hour", 1, 24),
        ("seen_seconds", "Last activity is kept every", "second", 1, 600),
        ("confirmation_minutes", "A confirmation is good for", "minute", 1, 60),
        ("payment_rest_hours", "Rest of a new transaction password", "hour", 0, 720),
        ("activation_hours", "An activation link is good for", "hour", 1, 720),
        ("backup_codes", "Backup codes", "", 1, 50),
        ("view_as_minutes", "Viewing as a customer", "minute", 1, 120),
    ):
        yield Field(name=name, label=label, noun=noun, lowest=lowest, highest=highest)


SECURITY: Final = register(
    of_numbers(
        name="security_rules",
        title="Signing in",
        about="Tries, times and strengths of passwords, codes and sessions.",
        model=SecurityRule,
        named=_security(),
        read=Permission.RIGHTS_VIEW,
        changes=security.changes,
    )
)
