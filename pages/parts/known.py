"""What a page names again in every rerun, remembered for a while.

It stands here and not on the pages: a page is executed anew in every rerun, and to make a function
that remembers anew takes longer than to ask it.
"""

from typing import Final

import streamlit as st

from bank.accounts import names
from bank.accounts.names import Names
from bank.book import journal
from bank.core.desk import Desk

LEDGERS_KEPT_SECONDS: Final = 600
PEOPLE_KEPT_SECONDS: Final = 60


def ledger_names(desk: Desk) -> dict[str, str]:
    """The name of each ledger account by its code: the chart of accounts, which only ever grows."""
    return _ledgers(str(desk.bank.db.url), desk)


def people(desk: Desk, user_ids: tuple[int, ...]) -> Names:
    """Who booked the entries of a page: the same people again with every rerun."""
    return _people(str(desk.bank.db.url), user_ids, desk)


@st.cache_data(ttl=LEDGERS_KEPT_SECONDS, show_spinner=False)
def _ledgers(url: str, _desk: Desk) -> dict[str, str]:
    return dict(journal.ledger_accounts(_desk))


@st.cache_data(ttl=PEOPLE_KEPT_SECONDS, show_spinner=False)
def _people(url: str, user_ids: tuple[int, ...], _desk: Desk) -> Names:
    return names.names_for(_desk, user_ids)
