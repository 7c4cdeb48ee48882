"""Secrets: values that never show themselves, and the bank's own key."""

import base64
import hashlib
import hmac
from typing import Final

from cryptography.fernet import Fernet, InvalidToken


class Unreadable(ValueError):
    """This was encrypted with another key, or has been altered since."""


class Secret:
    """A password, code or key on its way through a verb. Its repr is `***`, also in the trail."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: Final = value

    def reveal(self) -> str:
        """The value itself, for the one line that compares or stores it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(
            self._value.encode(), other._value.encode()
        )

    __hash__ = None  # type: ignore[assignment]


class Keyring:
    """What BANK_SECRET is used for: one derived key per purpose, so no two uses share one."""

    def __init__(self, secret: str) -> None:
        self._root = secret.encode()

    def _derive(self, purpose: str) -> bytes:
        return hmac.new(self._root, purpose.encode(), hashlib.sha256).digest()

    def encrypt(self, purpose: str, text: str) -> str:
        """Text that only this bank can read again (a TOTP key at rest)."""
        return (
            Fernet(base64.urlsafe_b64encode(self._derive(purpose))).encrypt(text.encode()).decode()
        )

    def decrypt(self, purpose: str, token: str) -> str:
        """The text behind `encrypt`, or Unreadable."""
        key = base64.urlsafe_b64encode(self._derive(purpose))
        try:
            return Fernet(key).decrypt(token.encode()).decode()
        except InvalidToken:
            raise Unreadable(Unreadable.__doc__) from None

    def sign(self, purpose: str, text: str) -> str:
        """A short code (80 bits, base32) that proves the bank wrote `text`."""
        mac = hmac.new(self._derive(purpose), text.encode(), hashlib.sha256).digest()
        return base64.b32encode(mac[:10]).decode()
