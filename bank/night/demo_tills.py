"""A cashier's drawer as the demo's story follows it: its cash, and when it needs the vault."""

from dataclasses import dataclass
from typing import Final

from bank.night.demo_people import LAKH

FULL: Final = 4 * LAKH  # more than this goes back to the vault ...
LEFT: Final = LAKH  # ... down to this


@dataclass(slots=True, eq=False, kw_only=True)
class Till:
    """What lies in an open drawer."""

    cash_minor: int

    def handed_for(self, amount_minor: int, vault_minor: int) -> int | None:
        """What the vault hands over before this amount moves (+), or gets after it (-).

        None when the vault cannot help.
        """
        after = self.cash_minor + amount_minor
        if after < 0:
            needed = -(after // LAKH) * LAKH
            return needed if needed <= vault_minor else None
        return LEFT - after if after > FULL else 0
