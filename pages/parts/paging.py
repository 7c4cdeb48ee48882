"""A long list, one page at a time: which rows to draw, and the buttons to the pages beside."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

ROWS_ON_A_PAGE: Final = 50


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a list: its number from 0, of how many rows there are in all."""

    key: str
    about: object
    at: int
    count: int

    @property
    def skip(self) -> int:
        """How many rows stand before it."""
        return self.at * ROWS_ON_A_PAGE

    @property
    def take(self) -> int:
        """How many rows it holds at most."""
        return ROWS_ON_A_PAGE

    def turn(self, back: str, on: str, of: str | None = None) -> None:
        """The two buttons and where one is, where there is more than one page. `of` says how many
        rows there are where they were not all counted."""
        pages = _pages(self.count)
        if pages < 2:
            return
        for label, icon, to in (
            (back, ":material/chevron_left:", self.at - 1),
            (on, ":material/chevron_right:", self.at + 1),
        ):
            if st.button(
                label, key=f"{self.key}_{to - self.at}", icon=icon, disabled=not 0 <= to < pages
            ):
                st.session_state[self.key] = (self.about, to)
                st.rerun()
        last = min(self.count, self.skip + self.take)
        st.caption(f"{self.skip + 1:,} to {last:,} of {of or f'{self.count:,}'}")


def page_of(key: str, about: object, count: int) -> Page:
    """The page a reader has turned to; another list (`about`) begins with its first."""
    kept = st.session_state.get(key)
    at = kept[1] if kept is not None and kept[0] == about else 0
    return Page(key=key, about=about, at=min(at, _pages(count) - 1), count=count)


def _pages(count: int) -> int:
    return max(1, -(-count // ROWS_ON_A_PAGE))
