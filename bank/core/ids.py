"""Chance, in one place: request ids, tokens and codes; and the demo's made-up facts."""

import hashlib
import random
import secrets
from collections.abc import Sequence
from typing import Final, TypeVar
from uuid import UUID, uuid4

T = TypeVar("T")

# Names of outside records become the same request id every time, so importing twice adds nothing.
EXTERNAL: Final = UUID("6f1d7c1e-3f0b-5a5e-9d0a-0b6f3c2e7a10")


def new_request_id() -> str:
    """A fresh request id (UUID text), minted when a form is first rendered."""
    return str(uuid4())


def request_id_of(*outside: str) -> str:
    """The request id that an outside record always gets: the text of its UUID version 5.

    Made by hand, because an import asks for it once per row and `uuid5` takes four times as long.
    """
    digest = bytearray(
        hashlib.sha1(EXTERNAL.bytes + "\x1f".join(outside).encode(), usedforsecurity=False).digest()
    )
    digest[6] = digest[6] & 0x0F | 0x50  # version 5
    digest[8] = digest[8] & 0x3F | 0x80  # the variant of RFC 9562
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def new_token() -> str:
    """A secret of 256 bits for a cookie or a ticket."""
    return secrets.token_urlsafe(32)


def new_code(digits: int = 6) -> str:
    """A one-time code of decimal digits."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"


def fingerprint(secret: str) -> str:
    """What is stored of a token: enough to recognise it, useless to a thief."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_password() -> str:
    """A temporary password to be read out or typed from paper: 79 bits, no look-alikes."""
    return _groups(4)


def new_backup_code() -> str:
    """A code to be kept on paper: 39 bits, which tries that are counted do not guess."""
    return _groups(2)


def _groups(count: int) -> str:
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(count))


class Chance:
    """Dice that fall the same way every time for the same seed. For made-up facts, never secrets.

    Everything is drawn by `random()`, the one method whose sequence Python promises to keep.
    """

    def __init__(self, *seed: object) -> None:
        self._draw = random.Random("\x1f".join(map(str, seed))).random  # noqa: S311

    def happens(self, share: float) -> bool:
        """True in this share of cases (0 to 1)."""
        return self._draw() < share

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._draw() * (high - low + 1))

    def one_of(self, choices: Sequence[T]) -> T:
        """One of them, each as likely as the others."""
        return choices[int(self._draw() * len(choices))]
