"""Everything the bank may refuse, as five kinds of refusal.

* BankError
  - NotAllowed   the person may not do this
  - NotFound     there is no such thing, or it is not theirs to see
  - BadInput     a field is wrong; names the field
  - WrongState   right person, right thing, wrong moment
  - Declined     the rules of the product say no

A leaf error lives beside the code that raises it. Its docstring is the
message the user reads and says what to do next. Anything else that escapes
is a bug, and crashes.
"""

from collections.abc import Callable
from typing import Any


class BankError(Exception):
    """The bank could not do this."""

    def __init__(
        self,
        message: str | None = None,
        *,
        field: str | None = None,
        remember: Callable[[Any], None] | None = None,
    ) -> None:
        """`field` names the input at fault.

        `remember` is run with the transaction that records the refusal, for
        the few facts that must outlive the rollback (a failed attempt counts
        although the command it belonged to did not happen).
        """
        super().__init__(message or " ".join((self.__doc__ or "").split()))
        self.field = field
        self.remember = remember
        self.recorded = False  # set once the trail has it


class NotAllowed(BankError):
    """You are not allowed to do this. Ask your branch admin if you need it for your work."""


class NotFound(BankError):
    """We could not find that. Check what you typed and try again."""


class BadInput(BankError):
    """Please check this field."""


class WrongState(BankError):
    """This has already moved on. Reload the page and look again."""


class Declined(BankError):
    """This is not possible under the rules of the product."""
