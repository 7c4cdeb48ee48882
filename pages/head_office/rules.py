"""The rules of the bank by kind: what is in force, what comes, what was changed by whom; and the
form by which head office changes one from a day on, decided by two."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from bank.core.dated import Standing
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.office import dated_rules
from bank.office.rule_changes import (
    LONGEST_REASON,
    LONGEST_SOURCE,
    FieldCard,
    Happened,
    RuleAct,
    RuleKind,
    RuleRow,
)
from bank.office.rule_tables import Value
from pages.parts import forms, rule_fields, tables, ui, waiting, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.RULE_VIEW, title="Rules")

NARROW = 560  # pixels
FURTHEST = timedelta(days=3 * 366)
LABELS = {"effective_from": "From", "source": "What it rests on", "reason": "Reason"}
NEW = "A new rule"
DECIDED = "The change is set."
sets = desk.may(Permission.RULE_SET)
today = desk.bank.clock.business_date()


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A change that is complete: shown before it is proposed."""

    key: str
    values: dict[str, Value]
    first: date
    source: str
    reason: str
    title: str
    changes: Sequence[tuple[str, str, str]]
    until: date | None


def listed(rows: Sequence[RuleRow], kind: RuleKind) -> RuleRow | None:
    """The rules in force; the one that was chosen to be changed."""
    st.header("In force")
    if not rows:
        ui.empty("No rule of this kind is in force.", "What head office sets is listed here.")
        return None
    columns = [
        column("Rule", "title", key=True, width=280),
        column("Says", lambda row: rule_fields.said(row.said), key=True, width=360),
        column("Since", "effective_from", Kind.DAY),
        column("Rests on", "source", width=280),
    ]
    name = f"rules_{kind.name}"
    file_name = f"{kind.name}.csv"
    if not sets:
        tables.show(rows, columns, key=name, file_name=file_name)
        return None
    return tables.choose(
        rows, columns, key=name, id_of=lambda row: row.key, file_name=file_name,
        prompt="Choose a rule",
    )  # fmt: skip


def to_come(rows: Sequence[RuleRow], kind: RuleKind) -> None:
    """What was decided and has not begun, with the way to withdraw it."""
    st.header("To come")
    if not rows:
        ui.empty("No change is to come.", "What two people have decided is listed here.")
        return
    columns = [
        column("Rule", "title", key=True, width=280),
        column("Will say", lambda row: rule_fields.said(row.said), key=True, width=360),
        column("From", "effective_from", Kind.DAY, key=True),
        column("Rests on", "source", width=280),
    ]
    if not sets:
        tables.show(rows, columns, key=f"rules_coming_{kind.name}")
        return
    chosen = tables.choose(
        rows, columns, key=f"rules_coming_{kind.name}", id_of=lambda row: row.id,
        prompt="Choose a change",
    )  # fmt: skip
    if chosen is None:
        st.caption("Choose a change to withdraw it before it comes.")
        return
    key = f"rule_off_{kind.name}_{chosen.id}_"
    with st.container(border=True, width=NARROW):
        st.subheader(words.plain(f"{chosen.title} from {words.day(chosen.effective_from)}"))
        waiting.banner(desk, kind.name, chosen.in_trail)
        reason = st.text_input(
            LABELS["reason"], key=f"{key}reason", max_chars=LONGEST_REASON, autocomplete="off"
        )
        if st.button("Withdraw this change", key=f"{key}go", icon=":material/undo:"):
            with waiting.attempt(
                "The change is withdrawn.", labels=LABELS, then=lambda: forms.forget(key)
            ):
                dated_rules.withdraw_rule(
                    desk, kind.name, chosen.key, chosen.effective_from, reason or ""
                )


def change(kind: RuleKind, row: RuleRow) -> None:
    """The form that changes one rule."""
    slip = forms.Slip[Draft, None]("rule", f"{kind.name}_{row.key}")
    with st.container(border=True, width=NARROW):
        st.header(words.plain(row.title))
        waiting.banner(desk, kind.name, row.in_trail)
        if slip.step is forms.Step.PREVIEW:
            ahead(kind, slip)
            return
        cards = dated_rules.form(desk, kind.name, row.key)
        read = rule_fields.draw(cards, row.values, key=slip.name)
        fill(kind, slip, lambda: row.key, read, cards)


def begin(kind: RuleKind) -> None:
    """The form of a rule that is not there yet."""
    slip = forms.Slip[Draft, None]("rule", f"{kind.name}_new")
    with st.container(border=True, width=NARROW):
        st.header(NEW)
        waiting.banner(desk, kind.name, None)
        if slip.step is forms.Step.PREVIEW:
            ahead(kind, slip)
            return
        parts = rule_fields.draw(kind.keys, {}, key=slip.name)
        read = rule_fields.draw(kind.values, {}, key=slip.name)
        fill(
            kind, slip, lambda: rule_fields.key_of(parts()), read, [*kind.keys, *kind.values]
        )  # fmt: skip


def fill(
    kind: RuleKind,
    slip: forms.Slip[Draft, None],
    key: Callable[[], str],
    read: Callable[[], dict[str, Value]],
    cards: Sequence[FieldCard],
) -> None:
    """From which day, on what it rests and why; then what it would change."""
    first = forms.day_input(
        LABELS["effective_from"],
        today + timedelta(days=1),
        key=slip.field("from"),
        first=today,
        last=today + FURTHEST,
        help="What was done before was done under the old rule.",
        persist_state="page",
    )
    texts = {
        name: st.text_input(
            LABELS[name], key=slip.field(name), max_chars=longest, help=help,
            autocomplete="off", persist_state="page",
        )
        or ""
        for name, longest, help in (
            ("source", LONGEST_SOURCE, "A law, a circular, a decision of the board."),
            ("reason", LONGEST_REASON, "Why it is changed now. Stays in the history."),
        )
    }  # fmt: skip
    if st.button("Show what changes", type="primary", key=slip.field("preview")):
        with ui.attempt(labels=LABELS | rule_fields.labels_of(cards) | named(cards)):
            if first is None:
                raise BadInput("Choose the day from which it counts.", field="effective_from")
            for name, text in texts.items():
                if not text.strip():
                    raise BadInput("This may not be empty.", field=name)
            spelled, values = key(), read()
            seen = dated_rules.preview(desk, kind.name, spelled, values, first)
            slip.preview(
                Draft(
                    key=spelled, values=values, first=first, title=seen.title,
                    changes=seen.changes, until=seen.until, **texts,
                )
            )  # fmt: skip


def named(cards: Sequence[FieldCard]) -> Mapping[str, str]:
    """Of a rule with one number: it is called by the rule's own words."""
    return {"value": cards[0].field.label} if len(cards) == 1 else {}


def ahead(kind: RuleKind, slip: forms.Slip[Draft, None]) -> None:
    """What the change would do; then propose it, or change it."""
    draft = slip.draft
    st.markdown(f"**{words.plain(draft.title)}** from {words.plain(words.day(draft.first))}")
    tables.show(
        draft.changes,
        [
            column("What", lambda each: each[0], key=True),
            column("Until then", lambda each: each[1] or "-", key=True),
            column("From then on", lambda each: each[2], key=True),
        ],
        key=f"{slip.name}_changes",
    )
    tables.facts({LABELS["source"]: draft.source, LABELS["reason"]: draft.reason})
    if draft.until is not None:
        day = words.day(draft.until)
        st.caption(words.plain(f"It counts until {day}: a later change begins there."))
    with st.container(horizontal=True):
        go = st.button("Propose this change", type="primary", key=slip.field("propose"))
        if st.button("Change", type="tertiary", key=slip.field("back")):
            slip.change()
    if go:
        with waiting.attempt(DECIDED, labels=LABELS, then=slip.clear):
            dated_rules.set_rule(
                desk, kind.name, draft.key, draft.values, draft.first, draft.source, draft.reason
            )


def history(acts: Sequence[Happened], over: Sequence[RuleRow], kind: RuleKind) -> None:
    """Who set and withdrew what; and the rules of before, by which old days go."""
    st.header("History")
    if not acts:
        ui.empty(
            "Head office has not changed these rules yet.",
            "They are those that the bank began with.",
        )
    else:
        tables.show(
            acts,
            [
                column("When", "at", Kind.MOMENT),
                column("Rule", "title", key=True, width=240),
                column("What", what_of, key=True),
                column("From", "effective_from", Kind.DAY),
                column("Before", lambda act: rule_fields.said(act.before or NOTHING), width=240),
                column("After", lambda act: rule_fields.said(act.after or NOTHING), width=240),
                column("By", "by_name"),
                column("Agreed by", "agreed_by_name"),
                column("Rests on", "source", width=240),
                column("Reason", "reason", width=240),
            ],
            key=f"rules_history_{kind.name}",
            file_name=f"{kind.name}_history.csv",
        )
    if over:
        with st.expander(f"Rules of before ({len(over)})"):
            tables.show(
                over,
                [
                    column("Rule", "title", key=True, width=280),
                    column("Said", lambda row: rule_fields.said(row.said), key=True, width=360),
                    column("Since", "effective_from", Kind.DAY),
                    column("Rested on", "source", width=280),
                ],
                key=f"rules_over_{kind.name}",
            )


def what_of(act: Happened) -> str:
    """What was done, in a word."""
    return "Withdrawn" if act.act is RuleAct.WITHDRAWN else "Set"


NOTHING: Mapping[str, str] = {"": "-"}
with ui.attempt():
    kinds = {kind.name: kind for kind in dated_rules.kinds(desk)}
    name = st.selectbox(
        "Which rules",
        list(kinds),
        format_func=lambda one: kinds[one].title,
        key="rules_kind",
        width=NARROW,
    )
    kind = kinds[name or next(iter(kinds))]
    st.caption(words.plain(kind.about))
    if not sets:
        st.caption("Head office changes these rules from a day on, decided by two.")
    rows = dated_rules.rules(desk, kind.name)
    by_standing: Mapping[Standing, list[RuleRow]] = {
        standing: [row for row in rows if row.standing is standing] for standing in Standing
    }
    chosen = listed(by_standing[Standing.IN_FORCE], kind)
    if chosen is not None:
        change(kind, chosen)
    elif sets:
        st.caption("Choose a rule to change it from a day on. A second person agrees.")
        if kind.may_add:
            begin(kind)
    coming = sorted(by_standing[Standing.COMING], key=lambda row: row.effective_from)
    to_come(coming, kind)
    history(dated_rules.changes(desk, kind.name), by_standing[Standing.OVER], kind)
