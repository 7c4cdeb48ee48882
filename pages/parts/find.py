"""The search of every employee's page: pages, work, what one asked for, accounts, entries, users.

The field opens over the page, so a rerun of the page asks the bank nothing. What it finds is what
the person may see anyhow, by the verbs of those pages; a number leads to the page that shows it.
"""

from collections.abc import Sequence
from typing import Final, NoReturn
from urllib.parse import urlencode

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import STAFF, Permission
from bank.office import finds, queue_lists
from bank.office.finds import MOST_FOUND, Found
from bank.office.queue_lists import ItemRow, Looked, View
from bank.people.users import Kind as WhichUsers
from pages.parts import queue, queue_item, queue_views, ui, waiting, words
from pages.parts.menu import Entry, entries_for

WANTED: Final = "What are you looking for?"
SHORTCUT: Final = "alt+s"
LONGEST: Final = 80
MOST_PAGES: Final = 6
INBOX: Final = "staff/inbox.py"


def button() -> None:
    """The way to the search."""
    if st.button(
        "Search",
        key="find_open",
        icon=":material/search:",
        shortcut=SHORTCUT,
        type="tertiary",
    ):
        st.session_state.pop("find_words", None)  # a new search begins empty
        _field()


def open_item(item_id: int, view: View | None = None, typed: str = "") -> NoReturn:
    """Go to an item in the inbox; with a view, to the list there in which it was found."""
    st.session_state["inbox_list_chosen"] = str(item_id)
    if view is not None:
        _inbox_shows(view, typed)
    ui.go(INBOX)


def open_approval(approval_id: int) -> NoReturn:
    """Go to what this person has asked for."""
    st.session_state["approvals_show"] = "Created by me"
    st.session_state["approvals_mine_chosen"] = str(approval_id)
    ui.go("staff/approvals.py")


@st.dialog("Search")
def _field() -> None:
    """The field and what it finds, drawn by itself for every text."""
    desk = ui.principal()
    if desk.role not in STAFF:
        st.rerun()  # Home.py shows where this person stands now
    typed = st.text_input(
        WANTED,
        key="find_words",
        max_chars=LONGEST,
        autocomplete="off",
        placeholder="a page, words, a number",
        help="A page by its name; work by beginnings of words or its number; an account by its"
        " whole number; an entry by its reference.",
    ).strip()
    if not typed:
        ui.empty(
            "Type what you know of it, and press Enter.",
            "A page, a ticket or an approval by words or number, an account number, a reference.",
        )
        return
    with ui.attempt(labels={"search": WANTED}):
        if not _results(desk, typed):
            ui.empty("Nothing fits.", "Try the beginning of a word, or the whole number.")
        if desk.may(Permission.USER_VIEW) and _lead(
            f"Look for “{typed}” among users", "find_users"
        ):
            _open(
                "admin/users.py",
                users_searched=typed,
                users_kind=WhichUsers.ALL,
                users_state=None,
                users_places=[],
            )


def _results(desk: Desk, typed: str) -> bool:
    """Everything that fits, in groups; whether anything does."""
    found = finds.find(desk, typed)
    pages = _pages(desk, typed)
    if pages:
        _title("Pages")
        for entry in pages:
            st.page_link(
                f"pages/{entry.file}",
                label=words.plain(entry.title),
                icon=f":material/{entry.icon}:",
            )
    opens = {entry.file for entry in entries_for(desk)}
    has_items = found.has_words and INBOX in opens and _items(desk, typed)
    if found.asked_for:
        _title("You asked for")
        for row in found.asked_for:
            said = f"Approval {row.id}: {waiting.title_of(row)} {waiting.amount_of(row)}".strip()
            if _lead(f"{said}, {row.status}", f"find_approval_{row.id}"):
                open_approval(row.id)
    has_numbers = _numbers(found)
    return bool(pages or has_items or found.asked_for or has_numbers)


def _numbers(found: Found) -> bool:
    """The account and the entry that a number may name; whether there is any."""
    number, reference = found.account_number, found.entry_reference
    if not number and not reference:
        return False
    _title("Accounts and entries")
    if number and _lead(f"Look at account {number}", "find_account"):
        _open("staff/find_account.py", find_account_number=number)
    if reference and _lead(f"Entry {reference}", "find_entry"):
        _open("auditor/journal.py", journal_entry=reference)
    return True


def _pages(desk: Desk, typed: str) -> list[Entry]:
    """The pages of this person's menu whose title or purpose holds every word; titles first."""
    asked = typed.casefold().split()

    def holds(text: str) -> bool:
        return all(word in text.casefold() for word in asked)

    fitting = [each for each in entries_for(desk) if holds(f"{each.title} {each.about}")]
    return sorted(fitting, key=lambda each: not holds(each.title))[:MOST_PAGES]


def _items(desk: Desk, typed: str) -> bool:
    """Work in sight, open before decided; whether there is any."""
    any_found = False
    for view in (View.ALL_OPEN, View.DECIDED):
        page = queue_lists.items(desk, Looked(view=view, words=typed))
        if not page.rows:
            continue
        any_found = True
        _title(f"Work, {queue.VIEWS[view].lower()}")
        for item in _exact_first(page.rows, typed)[:MOST_FOUND]:
            said = f"{words.sentence(item.reference)}: {item.title}, {queue_item.state_of(item)}"
            if _lead(said, f"find_item_{item.id}"):
                open_item(item.id, view, typed)
        if len(page.rows) > MOST_FOUND and _lead(
            "All that fit, in the inbox", f"find_all_{view.name}"
        ):
            _inbox_shows(view, typed)
            _open(INBOX, inbox_list_chosen=None)
    return any_found


def _exact_first(rows: Sequence[ItemRow], typed: str) -> list[ItemRow]:
    return sorted(rows, key=lambda row: row.reference.casefold() != typed.casefold())


def _title(text: str) -> None:
    st.markdown(f"**{words.plain(text)}**")


def _lead(label: str, key: str) -> bool:
    """One thing that was found, as a line that leads to it."""
    return st.button(words.plain(label), key=key, type="tertiary", icon=":material/arrow_forward:")


def _inbox_shows(view: View, typed: str) -> None:
    """The inbox lists what was found, and nothing narrower that was looked for before."""
    queue_views.go_to("inbox", urlencode({"view": view, "words": typed}), {})


def _open(file: str, **fields: object) -> NoReturn:
    """A page whose fields hold what was found, and nothing of what narrowed them before.

    An account's number comes into no address, which every browser keeps.
    """
    for key, value in fields.items():
        st.session_state[key] = value
    ui.go(file)
