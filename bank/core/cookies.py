"""The name of the session cookie, known to the server that sets it and the pages that read it."""

from collections.abc import Mapping
from typing import Final

PLAIN: Final = "bank_session"
# Over https the browser enforces by this prefix: Secure, whole site, set by this very host.
SECURE: Final = "__Host-bank_session"


def name(*, secure: bool) -> str:
    """The cookie's name on this scheme."""
    return SECURE if secure else PLAIN


def session_cookie(cookies: Mapping[str, str], *, secure: bool) -> str | None:
    """The session cookie's value. Over https a cookie without the prefix does not count."""
    return cookies.get(name(secure=secure)) or None
