"""One test, two sizes: `make test` runs it small, `make soak` runs it as often as promised."""

import os
from typing import Final

SOAKING: Final = os.environ.get("BANK_SOAK") == "1"


def times(*, normal: int, soak: int) -> int:
    """How often to repeat: `normal` in `make test`, `soak` under BANK_SOAK=1.

    The test carries @pytest.mark.soak, so that `make soak` finds it.
    """
    return soak if SOAKING else normal
