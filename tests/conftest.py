"""What every test may use: the outside world of tests/support, and the choice of features."""

import gc
import os

from hypothesis import HealthCheck, settings

from tests.support.soak import SOAKING

pytest_plugins = (
    "pytester",
    "tests.support.memory",
    "tests.support.features",
    "tests.support.postgres",
    "tests.support.bank",
    "tests.support.hostile",
    "tests.support.market",
    "tests.support.checkers",
    "tests.support.people",
    "tests.support.book",
    "tests.support.office",
    "tests.support.mail",
    "tests.support.server",
    "tests.support.browser",
    "tests.support.apptest",
    "tests.support.shell",
    "tests.support.demo",
)

# No deadline: this is a shared machine of two cores, and a slow example is not a wrong one.
# Derandomised in `make test`, so that the same commit gives the same answer; `make soak` explores.
_QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "test", deadline=None, derandomize=True, max_examples=50, suppress_health_check=_QUIET
)
settings.register_profile("soak", deadline=None, max_examples=1_000, suppress_health_check=_QUIET)
settings.load_profile("soak" if SOAKING else "test")

# This machine's own bank must not leak into the tests; what is for the tests is named so.
for _name in [name for name in os.environ if name.startswith("BANK_")]:
    if not _name.startswith("BANK_TEST_") and _name != "BANK_SOAK":
        del os.environ[_name]

# Collecting makes a million objects that all stay: no garbage is looked for meanwhile, and what is
# there then is never walked again (Streamlit asks for a collection after each run of a page).
gc.disable()


def pytest_collection_finish() -> None:
    """From here on there is garbage."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Libraries count what is left at the end."""
    gc.unfreeze()
