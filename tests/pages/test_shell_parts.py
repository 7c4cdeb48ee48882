"""The parts of pages: the door, attempts, slips, tables, charts, words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import streamlit as st
from hypothesis import given
from hypothesis import strategies as st_
from streamlit.testing.v1 import AppTest

from bank.core.desk import Bank
from bank.core.permissions import Role
from pages.parts import charts, table_files, table_order, tables, words
from pages.parts.tables import Kind, column
from tests.support.apptest import SECONDS, Pages, words_of
from tests.support.bank import desk

NOON = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)


def run(pages: Pages, bank: Bank, script: Callable[[], None], role: Role = Role.CASHIER) -> AppTest:
    """Run a script with somebody at the window."""
    pages.sit(desk(bank, role))
    return AppTest.from_function(script, default_timeout=SECONDS).run()


# The door, and what people click


def guarded_page() -> None:
    """A callback that only a cashier may cause."""

    import streamlit as st

    from bank.core.desk import Desk
    from bank.core.permissions import Permission
    from pages.parts import ui

    @ui.guarded(Permission.CASH_POST)
    def press(desk: Desk, by: int) -> None:
        st.session_state["pressed"] = st.session_state.get("pressed", 0) + by

    st.button("Press", key="press", on_click=press, args=[2])


@pytest.mark.feature("A1.8", "A1.13")
def test_a_guarded_callback_runs_only_for_whom_it_is(pages: Pages, sqlite_bank: Bank) -> None:
    page = run(pages, sqlite_bank, guarded_page)
    page.button("press").click().run()
    assert page.session_state["pressed"] == 2
    pages.sit(desk(sqlite_bank, Role.AUDITOR))
    page.button("press").click().run()
    assert page.session_state["pressed"] == 2
    pages.sit(desk(sqlite_bank, Role.GUEST))
    page.button("press").click().run()
    assert page.session_state["pressed"] == 2
    assert not page.exception


def attempting_page() -> None:
    """A verb that is refused, and one that is not."""
    import streamlit as st

    from bank.core.errors import BadInput, Declined
    from bank.core.permissions import Permission
    from pages.parts import ui

    ui.enter(Permission.CASH_POST, title="Attempts", context="A *context* line")
    st.caption(ui.request_id("slip"))
    if st.button("Field", key="field"):
        with ui.attempt("Done.", form="slip", labels={"amount": "Amount"}):
            raise BadInput("It is *not* a number.", field="amount")
    if st.button("Rule", key="rule"):
        with ui.attempt("Done.", form="slip"):
            raise Declined
    if st.button("Bug", key="bug"):
        with ui.attempt("Done."):
            raise ZeroDivisionError
    if st.button("Good", key="good"):
        with ui.attempt("It is done.", form="slip"):
            pass


@pytest.mark.feature("A13.2", "A14.1")
def test_an_attempt_says_what_became_of_it(pages: Pages, sqlite_bank: Bank) -> None:
    page = run(pages, sqlite_bank, attempting_page)
    assert page.title[0].value == "Attempts"
    assert page.caption[0].value == r"A \*context\* line"
    minted = page.caption[1].value

    page.button("field").click().run()
    assert page.error[0].value == r"**Amount:** It is \*not\* a number\."
    page.button("rule").click().run()
    assert "not possible under the rules" in page.error[0].value
    assert page.caption[1].value == minted, "a refused slip may be sent again as the same one"
    page.button("good").click().run()
    assert [message.value for message in page.success] == [r"It is done\."]
    assert not page.error
    assert page.caption[1].value != minted
    page.run()
    assert not page.success, "a message is shown once"
    page.button("bug").click().run()
    assert page.exception, "a bug is not a refusal"


@pytest.mark.feature("A1.13")
def test_the_door_is_shut_to_other_roles(pages: Pages, sqlite_bank: Bank) -> None:
    for role in (Role.CUSTOMER, Role.AUDITOR, Role.GUEST):
        page = run(pages, sqlite_bank, attempting_page, role)
        assert not page.exception
        assert page.title[0].value == "Not available"
        assert len(page.error) == 1
        assert not page.button


def live_page() -> None:
    """A part that draws itself again."""

    import streamlit as st

    from bank.core.desk import Desk
    from bank.core.permissions import Permission
    from pages.parts import ui

    @ui.live(5, Permission.CASH_POST)
    def figures(desk: Desk, word: str) -> None:
        st.write(f"{word} {desk.name}")

    st.title("Live")
    if "rerun" not in st.session_state:
        st.session_state["rerun"] = True
        figures("hello")


def test_a_live_part_gets_a_desk_of_its_own(pages: Pages, sqlite_bank: Bank) -> None:
    page = run(pages, sqlite_bank, live_page)
    assert [text.value for text in page.markdown] == ["hello the cashier"]
    page = run(pages, sqlite_bank, live_page, Role.AUDITOR)
    assert not page.markdown
    assert not page.exception


# Slips


def slip_page() -> None:
    """Fill, preview, confirm, receipt."""

    import streamlit as st

    from bank.core import money
    from pages.parts import forms, ui

    slip: forms.Slip[dict[str, int], str] = forms.Slip("deposit", owner=7)
    done = st.session_state.setdefault("done", [])
    match slip.step:
        case forms.Step.FILL:
            text = forms.amount_input("Amount", key=slip.field("amount"))
            if st.button("Check", key="check"):
                with ui.attempt():
                    slip.preview({"amount": money.parse(text)})
        case forms.Step.PREVIEW:
            amount = slip.draft["amount"]
            if forms.confirm(
                slip,
                title="Deposit",
                facts={"To": "a_b*c", "Nothing": ""},
                action="Deposit it",
                amount_minor=amount,
            ):
                done.append((slip.request_id, amount))
                slip.finish(f"REF-{amount}")
        case forms.Step.DONE:
            forms.receipt(slip, done="Paid in.", reference=slip.receipt, facts={"To": "x"})


@pytest.mark.feature("A3.4", "A14.1")
def test_a_slip_is_filled_previewed_confirmed_and_receipted(
    pages: Pages, sqlite_bank: Bank
) -> None:
    page = run(pages, sqlite_bank, slip_page)
    page.text_input("deposit_7_amount").input("nonsense").run()
    assert "Type the amount in figures" in page.caption[0].value
    page.button("check").click().run()
    assert page.error[0].value.startswith("**Amount:**")
    page.text_input("deposit_7_amount").input("1.5L").run()
    assert page.caption[0].value == "₹ 1,50,000.00: Rupees one lakh fifty thousand only"
    page.button("check").click().run()

    assert "₹ 1,50,000.00" in words_of(page)
    assert r"a\_b\*c" in words_of(page)
    assert "Nothing" not in words_of(page)
    page.button("deposit_7_back").click().run()
    assert page.text_input("deposit_7_amount").value == "1.5L", "what was typed is still there"
    page.button("check").click().run()
    page.button("deposit_7_confirm").click().run()
    assert [code.value for code in page.code] == ["REF-15000000"]
    assert r"Paid in\." in page.success[0].value

    page.button("deposit_7_another").click().run()
    assert page.text_input("deposit_7_amount").value == ""
    page.text_input("deposit_7_amount").input("20").run()
    page.button("check").click().run()
    page.button("deposit_7_confirm").click().run()
    (first, _), (second, amount) = page.session_state["done"]
    assert first != second
    assert amount == 20_00


# Tables


@dataclass
class Line:
    """A row as a query answers it."""

    id: int
    day: date
    text: str
    amount_minor: int
    number: str = "123456789012"
    currency: str = "INR"


LINES = [
    Line(1, date(2026, 11, 2), "=HYPERLINK('x')", -1_23_456_78),
    Line(2, date(2026, 11, 21), "**Rent**", 45_000_00),
]
COLUMNS = [
    column("Date", "day", Kind.DAY, key=True),
    column("Account", "number", Kind.ACCOUNT),
    column("Narration", "text"),
    column("Amount", "amount_minor", Kind.AMOUNT, key=True, currency=lambda row: row.currency),
    column("Balance", lambda row: row.amount_minor, Kind.SIDE),
]


def table_page() -> None:
    """Both kinds of tables."""
    import streamlit as st

    from pages.parts import tables
    from tests.pages.test_shell_parts import COLUMNS, LINES

    tables.show(LINES, COLUMNS, key="shown", of=1_284, total={"Amount": -78_456_78}, file_name="x")
    lines = LINES[1:] if "fewer" in st.session_state else LINES
    chosen = tables.choose(lines, COLUMNS, key="lines", id_of=lambda line: line.id)
    st.text(f"chosen {chosen.id if chosen else 'none'}")


@pytest.mark.feature("A14.1", "A14.2")
def test_a_table_is_written_the_banks_way(pages: Pages, sqlite_bank: Bank) -> None:
    page = run(pages, sqlite_bank, table_page)
    assert not page.exception
    grid = page.dataframe[0].value
    assert list(grid["Date"]) == ["2 Nov 2026", "21 Nov 2026", "Total"]
    assert list(grid["Account"]) == ["•••• 9012", "•••• 9012", ""]
    assert list(grid["Amount"]) == ["-₹ 1,23,456.78", "₹ 45,000.00", "-₹ 78,456.78"]
    assert list(grid["Balance"]) == ["₹ 1,23,456.78 Dr", "₹ 45,000.00 Cr", ""]
    phone = page.table[0].value
    assert list(phone.columns) == ["Date", "Amount"]
    assert "Showing 2 of 1,284." in words_of(page)


def test_a_choice_stays_with_its_row(pages: Pages, sqlite_bank: Bank) -> None:
    page = run(pages, sqlite_bank, table_page)
    assert page.text[0].value == "chosen none"
    page.session_state["lines_chosen"] = "2"
    page.run()
    assert page.text[0].value == "chosen 2"
    page.session_state["fewer"] = True  # a colleague empties the list: positions move up
    page.run()
    assert page.text[0].value == "chosen 2"
    page.session_state["lines_chosen"] = "1"
    page.run()
    assert page.text[0].value == "chosen none"
    page.selectbox[0].select_index(0).run()  # as on a phone
    assert page.text[0].value == "chosen 2"


def sorted_page() -> None:
    """A table whose cells are words in another order than what is behind them."""
    import streamlit as st

    from pages.parts import tables
    from tests.pages.test_shell_parts import MIXED, SORTED

    tables.show(MIXED, SORTED, key="mixed", total={"Amount": 1_00})
    chosen = tables.choose(MIXED, SORTED, key="picked", id_of=lambda line: line.id)
    st.text(f"chosen {chosen.id if chosen else 'none'}")


MIXED = [
    Line(1, date(2026, 3, 2), "b", 9_000_00),
    Line(2, date(2026, 4, 16), "", -10_000_00),
    Line(3, date(2026, 3, 16), "C", 10_000_00),
    Line(4, date(2025, 12, 31), "a", 1_00_000_00),
]
SORTED = [
    column("Date", "day", Kind.DAY),
    column("Text", "text"),
    column("Amount", "amount_minor", Kind.SIDE, key=True),
    column("Age", lambda line: f"{line.id} days", by=lambda line: -line.id),
]


@pytest.mark.feature("A14.1")
@pytest.mark.parametrize(
    ("label", "up"),
    [
        ("Date", [4, 1, 3, 2]),  # by its words 16 Apr 2026 would come first
        ("Amount", [2, 1, 3, 4]),  # by its words Rs 1,00,000 would come first
        ("Text", [4, 1, 3, 2]),  # capitals do not matter, nothing comes last
        ("Age", [4, 3, 2, 1]),
    ],
)
def test_a_table_is_sorted_by_what_is_behind_its_words(
    pages: Pages, sqlite_bank: Bank, label: str, up: list[int]
) -> None:
    page = run(pages, sqlite_bank, sorted_page)
    page.session_state["picked_chosen"] = "3"
    ages = [f"{number} days" for number in up]
    last = ages[-1:] if label == "Text" else []
    down = [age for age in ages if age not in last][::-1] + last
    for sorting, expected in (
        ((label, False), ages),
        ((label, True), down),
        (None, ["1 days", "2 days", "3 days", "4 days"]),
    ):
        for key in ("mixed", "picked"):
            page.session_state[f"{key}_sorted"] = sorting
        page.run()
        assert not page.exception
        assert list(page.dataframe[0].value["Age"]) == [*expected, ""], "the total stays below"
        assert list(page.dataframe[1].value["Age"]) == expected
        assert page.text[0].value == "chosen 3", "sorting chooses nothing else"


def test_a_click_on_a_header_sorts_up_down_and_back() -> None:
    st.session_state.clear()
    seen = []
    for clicked in (["Date"], ["Date"], ["Date"], ["Date"], ["Text"], []):
        table_order.sort_by("lines", clicked)
        seen.append(table_order.sorting_of("lines"))
    assert seen == [
        ("Date", False),
        ("Date", True),
        None,
        ("Date", False),
        ("Text", False),
        ("Text", False),
    ]
    st.session_state.clear()


@pytest.mark.feature("A1.14")
def test_a_downloaded_table_holds_figures_and_runs_nothing() -> None:
    rows = table_files.csv_of(LINES, COLUMNS).decode("utf-8-sig").splitlines()
    assert rows == [
        "Date,Account,Narration,Amount,Balance,Currency",
        "2026-11-02,•••• 9012,'=HYPERLINK('x'),-123456.78,-123456.78,INR",
        "2026-11-21,•••• 9012,**Rent**,45000.00,45000.00,INR",
    ]


@given(st_.text())
def test_no_text_of_a_download_is_a_formula(text: str) -> None:
    shown = tables.safe_cell(text)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert shown.endswith(text)


# Words


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(seconds=-20), "in a moment"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5, minutes=59), "5 hours ago"),
        (timedelta(days=-2, hours=-3), "in 2 days"),
    ],
)
def test_ages_are_said_as_people_say_them(away: timedelta, said: str) -> None:
    assert words.age(NOON - away, NOON) == said


def test_days_moments_masks_and_states() -> None:
    assert words.day(date(2026, 1, 5)) == "5 Jan 2026"
    assert words.day(None) == words.moment(None) == "-"
    assert words.moment(NOON) == "21 Nov 2026, 12:00"
    assert words.masked("1234") == "1234"
    assert words.badge("credits_only") == ":orange-badge[Credits only]"
    assert words.badge("never heard of") == ":gray-badge[Never heard of]"
    assert words.counted(1, "entry", "entries") == "1 entry"
    assert words.counted(1284, "entry", "entries") == "1,284 entries"
    assert words.browser("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140") == (
        "Edge on Windows"
    )
    assert words.browser("curl") == "Another browser"


@given(st_.text())
def test_typed_text_never_becomes_markdown(text: str) -> None:
    shown = words.plain(text)
    assert "\n" not in shown
    bare = shown.replace("\\\\", "")
    for sign in "*_`[]<>#|~$":
        assert bare.count(sign) == bare.count(f"\\{sign}")


@pytest.mark.parametrize("text", ["https://evil.example", "www.evil.example", "me@evil.example"])
def test_typed_text_never_becomes_a_link(text: str) -> None:
    shown = words.plain(text).replace("\\", "")
    assert text not in shown, "Streamlit would make a link of it, escaped or not"
    assert shown.replace("\u2060", "") == text, "to the eye it is the same"


# Charts


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (0, "INR", "₹ 0"),
        (8_500_00, "INR", "₹ 8,500"),
        (45_00_000_00, "INR", "₹ 45 L"),
        (-1_25_00_000_00, "INR", "-₹ 1.2 Cr"),
        (250_00_00_000_00, "INR", "₹ 250 Cr"),
        (1_500_000_00, "CZK", "CZK 1.5 M"),
    ],
)
def test_amounts_on_axes_are_short(amount: int, currency: str, said: str) -> None:
    assert charts.short(amount, currency) == said


def chart_page() -> None:
    """One of each chart."""
    from datetime import date, timedelta

    from pages.parts import charts

    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(40)]
    charts.bars("Savings hold most", {"Current": 5_00, "Savings": 90_00, "Owed": -10_00}, key="a")
    charts.lines("Deposits grow", days, {"Deposits": [n * 100 for n in range(40)]}, key="b")
    charts.in_and_out("More came in", ["Mon", "Tue"], [100, 200], [50, 0], key="c")
    charts.bars("Nothing yet", {}, key="d")


def test_charts_draw_their_answer(pages: Pages, sqlite_bank: Bank) -> None:
    page = run(pages, sqlite_bank, chart_page)
    assert not page.exception
    assert [text.value for text in page.markdown] == [
        "**Savings hold most**",
        "**Deposits grow**",
        "**More came in**",
        "**Nothing yet**",
    ]
    assert len(page.get("plotly_chart")) == 4


def test_bars_are_ordered_from_zero_with_one_highlight() -> None:
    figure = charts._bar_figure((("Savings", 90_00), ("Current", 5_00)), "Savings", "INR")
    [bar] = figure.data
    assert list(bar.y) == ["Savings", "Current"]
    assert list(bar.marker.color) == [charts.HIGHLIGHT, charts.QUIET]
    assert figure.layout.xaxis.range[0] == 0
    assert list(bar.text) == ["₹ 90", "₹ 5"]


@given(st_.integers(-(10**14), 10**14), st_.integers(0, 10**14))
def test_ticks_are_few_and_enclose_the_figures(low: int, span: int) -> None:
    ticks = charts._ticks(low, low + span, "INR")["tickvals"]
    assert ticks == sorted(ticks)
    assert 1 <= len(ticks) <= 8
    assert ticks[0] <= low
    assert ticks[-1] >= low + span


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (2_40_00_000_00, 3_30_00_000_00, ["₹ 2.25 Cr", "₹ 2.50 Cr", "₹ 2.75 Cr"]),
        (0, 90_00_000_00, ["₹ 0", "₹ 25 L", "₹ 50 L"]),
        (101_00_00_000_00, 102_80_00_000_00, ["₹ 101.00 Cr", "₹ 101.50 Cr", "₹ 102.00 Cr"]),
    ],
)
def test_a_tick_says_where_it_stands(low: int, high: int, said: list[str]) -> None:
    ticks = charts._ticks(low, high, "INR")
    assert ticks["ticktext"][:3] == said
    assert len(ticks["ticktext"]) <= 6


def test_a_line_that_moves_little_fills_its_chart() -> None:
    """From zero, a year of deposits would show one tick, and nothing of what it says it shows."""
    days = (date(2026, 1, 1), date(2026, 2, 1))
    figure = charts._line_figure(days, (("Deposits", (280_00, 290_00)),), "INR", False)
    assert len([tick for tick in figure.layout.yaxis.tickvals if 280_00 <= tick <= 290_00]) >= 3
    assert figure.layout.xaxis.tickangle == 0


@pytest.mark.parametrize("count", [1, 7, 8, 13, 60])
def test_months_stand_upright_and_do_not_touch(count: int) -> None:
    months = tuple(f"{date(2020 + n // 12, n % 12 + 1, 1):%b %Y}" for n in range(count))
    axis = charts._in_out_figure(months, (5,) * count, (3,) * count, "INR").layout.xaxis
    assert 1 <= len(axis.tickvals) <= 7
    assert set(axis.tickvals) <= set(months)
    assert axis.ticktext[0] == "Jan<br>2020"
    assert axis.tickangle == 0
