"""Inputs for the columns of a dated rule, each as its declaration says (office/rule_tables)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from bank.core import money
from bank.core.errors import BadInput
from bank.office.rule_changes import FieldCard
from bank.office.rule_tables import SAME_FOR_MANY, SEPARATOR, Field, Unit, Value, Values
from pages.parts import forms, words

MINUTES_OF_HOUR: Final = 60
KEPT: Final[Mapping[str, Any]] = {"persist_state": "page"}


def said(row: Mapping[str, str]) -> str:
    """What a rule says in one line: the value alone where it has one."""
    if len(row) == 1:
        return next(iter(row.values()))
    return "; ".join(f"{name.lower()}: {value}" for name, value in row.items())


def draw(cards: Sequence[FieldCard], values: Values, *, key: str) -> Callable[[], dict[str, Value]]:
    """Draw an input for each column, filled with the values at first. Answers how to read what was
    typed: BadInput names the column, and what was typed stays."""
    readers = {card.field.name: _input(card, values.get(card.field.name), key) for card in cards}
    return lambda: {name: read() for name, read in readers.items()}


def key_of(parts: Mapping[str, Value]) -> str:
    """The key of a new rule."""
    for name, part in parts.items():
        if part is None:
            raise BadInput("Choose one of the list.", field=name)
        if SEPARATOR in str(part):
            raise BadInput("Small letters and low lines alone, like `lost_card`.", field=name)
    return SEPARATOR.join(map(str, parts.values()))


def labels_of(cards: Sequence[FieldCard]) -> dict[str, str]:
    """How people call the columns, for refusals."""
    return {card.field.name: card.field.label for card in cards}


def _input(card: FieldCard, value: Value, prefix: str) -> Callable[[], Value]:
    one, key = card.field, f"{prefix}_{card.field.name}"
    drawn: Mapping[Unit, Callable[[Field, Mapping[Any, str], Value, str], Callable[[], Value]]] = {
        Unit.AMOUNT: _amount,
        Unit.NUMBER: _number,
        Unit.TIME: _time,
        Unit.TEXT: _text,
        Unit.CHOICE: _choice,
        Unit.ROLES: _roles,
    }
    read = drawn[one.unit](one, card.choices, value, key)
    if card.bound:
        st.caption(words.plain(f"By law {card.bound}."))
    return read


def _empty(one: Field) -> str | None:
    return f"Empty: {one.empty}." if one.empty else None


def _amount(one: Field, choices: Mapping[Any, str], value: Value, key: str) -> Callable[[], Value]:
    st.session_state.setdefault(key, money.digits(value) if isinstance(value, int) else "")
    typed = forms.amount_input(one.label, key=key, may_be_zero=True, help=_empty(one) or "")
    if one.empty and not typed.strip():
        return lambda: None
    return lambda: money.parse(typed, field=one.name, may_be_zero=True)


def _number(one: Field, choices: Mapping[Any, str], value: Value, key: str) -> Callable[[], Value]:
    noun = f", {one.noun}" if one.noun in SAME_FOR_MANY else f", {one.noun}s"
    st.session_state.setdefault(key, value)
    typed = st.number_input(
        f"{one.label}{noun if one.noun else ''}",
        min_value=one.lowest,
        max_value=one.highest,
        value=None,
        step=1,
        key=key,
        width=240,
        **KEPT,
    )
    return lambda: typed


def _time(one: Field, choices: Mapping[Any, str], value: Value, key: str) -> Callable[[], Value]:
    st.session_state.setdefault(key, one.shown(value, {}) if isinstance(value, int) else "")
    typed = st.text_input(
        one.label,
        key=key,
        placeholder="10:00",
        help=_empty(one),
        autocomplete="off",
        width=160,
        **KEPT,
    )
    return lambda: minute_of(typed or "", one)


def minute_of(text: str, one: Field) -> int | None:
    """A time as typed, as a minute of the day; None where nothing was typed."""
    if not text.strip():
        return None
    hour, colon, minute = text.strip().replace(".", ":").partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        raise BadInput("Give a time like 10:00.", field=one.name)
    if int(minute) >= MINUTES_OF_HOUR:
        raise BadInput("An hour has 60 minutes: give a time like 10:00.", field=one.name)
    return int(hour) * MINUTES_OF_HOUR + int(minute)


def _text(one: Field, choices: Mapping[Any, str], value: Value, key: str) -> Callable[[], Value]:
    st.session_state.setdefault(key, "" if value is None else str(value))
    typed = st.text_input(
        one.label, key=key, max_chars=one.longest, help=_empty(one), autocomplete="off", **KEPT
    )
    return lambda: typed or ""


def _choice(one: Field, choices: Mapping[Any, str], value: Value, key: str) -> Callable[[], Value]:
    options = list(choices)
    if value not in choices:  # of a new rule: what goes without saying
        value = one.silent if one.silent in choices else None
    st.session_state.setdefault(key, value)
    typed: Value = st.selectbox(
        one.label,
        options,
        index=None,
        format_func=lambda option: choices.get(option, str(option)),
        key=key,
        placeholder="Choose",
        **KEPT,
    )
    return lambda: typed


def _roles(one: Field, choices: Mapping[Any, str], value: Value, key: str) -> Callable[[], Value]:
    named = [role for role in str(value or "").split() if role in choices]
    st.session_state.setdefault(key, named)
    typed: list[str] = st.multiselect(
        one.label,
        list(choices),
        format_func=lambda option: choices.get(option, str(option)),
        key=key,
        placeholder=_empty(one) or "Choose",
        **KEPT,
    )
    return lambda: " ".join(typed)
