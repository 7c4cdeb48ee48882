"""A long list, one page at a time: which rows to draw, and the buttons to the pages beside."""

from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

ROWS_ON_A_PAGE: Final = 50
BACK: Final = ":material/chevron_left:"
ON: Final = ":material/chevron_right:"


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
        for label, icon, step in ((back, BACK, -1), (on, ON, 1)):
            to = self.at + step
            if st.button(label, key=f"{self.key}_{step}", icon=icon, disabled=not 0 <= to < pages):
                st.session_state[self.key] = (self.about, to)
                st.rerun()
        last = min(self.count, self.skip + self.take)
        st.caption(f"{self.skip + 1:,} to {last:,} of {of or f'{self.count:,}'}")


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One page of a list that is found by where the page before it ended (`ends`, one for each
    page before): the hundredth costs what the first does, and no list is too long to be read."""

    key: str
    about: object
    ends: tuple[tuple[Any, ...], ...]

    @property
    def after(self) -> tuple[Any, ...] | None:
        """Where the page before it ended."""
        return self.ends[-1] if self.ends else None

    def turn(
        self, back: str, on: str, *, rows: int, next_end: tuple[Any, ...] | None, found: str
    ) -> None:
        """The two buttons and where one is, where there is more than one page. `rows` is how many
        stand on this one, `found` how many there are in all, as far as they were counted."""
        if not self.ends and next_end is None:
            return
        turns = (
            (back, BACK, -1, self.ends[:-1] if self.ends else None),
            (on, ON, 1, None if next_end is None else (*self.ends, next_end)),
        )
        for label, icon, step, ends in turns:
            if st.button(label, key=f"{self.key}_{step}", icon=icon, disabled=ends is None):
                st.session_state[self.key] = (self.about, ends)
                st.rerun()
        before = len(self.ends) * ROWS_ON_A_PAGE
        of = found if next_end is not None else f"{before + rows:,}"
        st.caption(f"{before + 1:,} to {before + rows:,} of {of}")


def leaf_of(key: str, about: object) -> Leaf:
    """The page a reader has turned to; another list (`about`) begins with its first."""
    kept = st.session_state.get(key)
    ends = kept[1] if kept is not None and kept[0] == about else ()
    return Leaf(key=key, about=about, ends=ends)


def page_of(key: str, about: object, count: int) -> Page:
    """The page a reader has turned to; another list (`about`) begins with its first."""
    kept = st.session_state.get(key)
    at = kept[1] if kept is not None and kept[0] == about else 0
    return Page(key=key, about=about, at=min(at, _pages(count) - 1), count=count)


def _pages(count: int) -> int:
    return max(1, -(-count // ROWS_ON_A_PAGE))
