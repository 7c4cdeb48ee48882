"""Passwords: hashed with bcrypt, checked against rules that keep the guessable ones out.

bcrypt takes about a quarter of a second on purpose, so nothing here runs inside a transaction.
"""

import csv
import os
import threading
from collections.abc import Iterable
from functools import cache
from typing import Final

import bcrypt
from zxcvbn import zxcvbn

from bank.core.config import PROJECT
from bank.core.errors import BadInput
from bank.core.secrets import Secret

COST = 12  # 2**12 rounds; tests lower it
LONGEST_CHARACTERS: Final = 64
LONGEST_BYTES: Final = 72  # bcrypt looks no further, and refuses to pretend
FEWEST_OF_ONES_OWN: Final = 6
SHORTEST_NAME: Final = 4  # shorter parts of a name occur in too many good passwords
LEET: Final = str.maketrans("013457@$!", "oleastasi")
EDGES: Final = "0123456789!@#$%^&*()_+-=.,?/ "  # what people put around a word to please a rule
ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
)
OUR_WORDS: Final = ("bank", "password", "account", "customer", "cashier", "banker", "admin")

# A flood of sign-ins must not take every processor from the people who are inside.
_at_once: Final = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


class PasswordTooShort(BadInput):
    """This password is too short. A few words in a row are easy to remember and long enough."""


class PasswordTooLong(BadInput):
    """At most 64 characters fit (fewer when they are not Latin letters)."""


class PasswordTooCommon(BadInput):
    """This password is among the first that anybody would guess. Choose one of your own."""


class PasswordNamesYou(BadInput):
    """Leave your name and your user name out of the password."""


class PasswordNotNew(BadInput):
    """Choose a password that differs from the one you have."""


def hash_password(password: Secret) -> str:
    """The bcrypt hash to keep. Slow on purpose; raises PasswordTooLong over 72 bytes."""
    encoded = _encoded(password)
    if len(encoded) > LONGEST_BYTES:
        raise PasswordTooLong(field="password")
    with _at_once:
        return bcrypt.hashpw(encoded, bcrypt.gensalt(COST)).decode()


def matches(password: Secret, hashed: str | None) -> bool:
    """Whether this is the password. Without a hash the same work is done, and the answer is no."""
    encoded = _encoded(password)
    with _at_once:
        same = bcrypt.checkpw(encoded[:LONGEST_BYTES], (hashed or _nobody()).encode())
    return same and hashed is not None and len(encoded) <= LONGEST_BYTES


def is_outdated(hashed: str) -> bool:
    """Whether the hash was made with less work than is asked for today."""
    return int(hashed.split("$")[2]) < COST


def check(password: Secret, *, shortest: int, score: int, names: Iterable[str], field: str) -> None:
    """Refuse a password that is too short, too long, common, or made of the person's own names.

    `score` is the least that zxcvbn must give it, from 0 to 4: it knows the tens of thousands that
    have been guessed most often, names, words, and what people do to them.
    """
    text = password.reveal()
    if len(text) < shortest:
        raise PasswordTooShort(
            f"Use at least {shortest} characters. A few words in a row are easy to remember.",
            field=field,
        )
    if len(text) > LONGEST_CHARACTERS or len(_encoded(password)) > LONGEST_BYTES:
        raise PasswordTooLong(field=field)
    parts = {part for name in names for part in _words_of(name)}
    if any(part in text.casefold() for part in parts):
        raise PasswordNamesYou(field=field)
    if is_common(text) or _score(text, parts) < score:
        raise PasswordTooCommon(field=field)


def is_common(text: str) -> bool:
    """Whether a list of the usual guesses, and what people do to them, leads to this password."""
    plain = text.casefold()
    core = plain.strip(EDGES)
    if {plain, core, plain.translate(LEET), core.translate(LEET)} & _weak():
        return True
    return min(map(_own_part, (plain, plain.translate(LEET)))) < FEWEST_OF_ONES_OWN


def _score(text: str, own: Iterable[str]) -> int:
    """How hard zxcvbn finds this to guess for somebody who knows the person, from 0 to 4."""
    return int(zxcvbn(text, user_inputs=[*own, *OUR_WORDS])["score"])


def _own_part(form: str) -> int:
    """How many characters are left when rows of keys, repeats and our own words are taken out."""
    if len(set(form)) <= 3 or form in (form * 2)[1:-1]:  # aaaa1aaaa, abcabcabc
        return len(set(form))
    for word in OUR_WORDS:
        form = form.replace(word, "\0")
    own, at = 0, 0
    while at < len(form):
        run = _run_at(form, at)
        own += form[at] != "\0" and run < 3
        at += max(run if run >= 3 else 1, 1)
    return own


def _run_at(form: str, at: int) -> int:
    """How many characters from here follow a row of keys, in either direction."""
    longest = 1
    for row in ROWS:
        for line in (row, row[::-1]):
            length = longest + 1
            while at + length <= len(form) and form[at : at + length] in line:
                longest, length = length, length + 1
    return longest


def _words_of(name: str) -> set[str]:
    whole = name.casefold()
    cleaned = "".join(char if char.isalnum() else " " for char in whole)
    return {word for word in [*cleaned.split(), whole] if len(word) >= SHORTEST_NAME}


def _encoded(password: Secret) -> bytes:
    return password.reveal().encode("utf-8", "surrogatepass")


def _nobody() -> str:
    """A hash that no password has, and that costs what a real one costs."""
    return f"$2b${COST:02d}${'.' * 53}"


@cache
def _weak() -> frozenset[str]:
    with (PROJECT / "data" / "seed" / "weak_passwords.csv").open(newline="") as file:
        return frozenset(row["password"].casefold() for row in csv.DictReader(file))
