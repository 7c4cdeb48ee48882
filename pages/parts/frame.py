"""What surrounds every page: the bank's name, the branch and the date, the person, the way out."""

from pathlib import Path
from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.people import branches
from bank.people.branches import BranchCard
from pages.parts import words

NAME: Final = "Bank in a Browser"
HERE: Final = Path(__file__).parent
# Read once: as a path, Streamlit would read it in every rerun of every page.
STYLE: Final = f"<style>{(HERE / 'house.css').read_text(encoding='utf-8')}</style>"
LOGO: Final = (HERE / "logo.svg").read_text(encoding="utf-8")
# On the page's own surface, light or dark, when the menu is shut.
SIGN: Final = (HERE / "sign.svg").read_text(encoding="utf-8")
BRANCHES_KEPT_SECONDS: Final = 60


def context_of(desk: Desk) -> str:
    """`Fort branch · 21 Nov 2026`: where and on which business date this page acts."""
    today = words.day(desk.bank.clock.business_date())
    here = branch_of(desk)
    if here is not None:
        return f"{here.name} · {today}"
    return f"All branches · {today}" if desk.sees_whole_bank else today


def branch_of(desk: Desk) -> BranchCard | None:
    """The branch the person works at or banks with."""
    return branch_by_id(desk, desk.branch_id) if desk.branch_id is not None else None


def branch_by_id(desk: Desk, branch_id: int) -> BranchCard | None:
    """A branch as people see it, remembered for a minute: every page names one."""
    return _branches(str(desk.bank.db.url), desk).get(branch_id)


def branch_names(desk: Desk) -> dict[int, str]:
    """The name of every branch by its id, remembered as long."""
    return {card.id: card.name for card in _branches(str(desk.bank.db.url), desk).values()}


@st.cache_data(ttl=BRANCHES_KEPT_SECONDS, show_spinner=False)
def _branches(url: str, _desk: Desk) -> dict[int, BranchCard]:
    return {card.id: card for card in branches.branches(_desk)}


def style() -> None:
    """Load the house's own style, the little that the theme cannot say, and the name on top."""
    st.html(STYLE)
    st.logo(LOGO, size="large", icon_image=SIGN)
