"""Branch money: what a branch holds, what came in and went out, how the year went. Live."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bank.core import money
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.night import reports
from pages.parts import behind, charts, figures, forms, tables, ui, words
from pages.parts.figures import Row
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.BRANCH_MONEY_VIEW, title="Branch money", context="")

REFRESH_SECONDS = 2.0
BEHIND = "branch_money_behind"
NAMES = {
    "deposits": "Deposits",
    "cash": "Cash in hand",
    "loans": "Loans outstanding",
    "in": "Into accounts",
    "out": "Out of accounts",
    "cash_in": "Cash in",
    "cash_out": "Cash out",
}
DAYS_IN_TABLE = 31


def side(label: str, name: str, *, key: bool = False) -> tables.Column[Row]:
    """A column of amounts with their side."""
    return column(
        label, lambda row: row[name], Kind.SIDE, key=key, currency=lambda row: row["currency"]
    )


FIGURES = [
    column("Branch", lambda row: row["branch_name"]),
    column("Figure", lambda row: _named(row), key=True),
    side("Amount", "amount_minor", key=True),
]
TREND = [
    column("Day", lambda row: row["day"], Kind.DAY, key=True),
    column("Figure", lambda row: NAMES[row["figure"]], key=True),
    side("Amount", "amount_minor", key=True),
]


def _named(row: Row) -> str:
    """`Deposits, Savings account` or just `Cash in hand`."""
    name = NAMES[row["figure"]]
    return f"{name}, {row['label']}" if row["figure"] == "deposits" else name


def look_behind(name: str, row: Mapping[str, Any], title: str) -> None:
    """Open the lines of a figure below, and draw the whole page: a click is a sign of life."""
    st.session_state[BEHIND] = {"report": name, "row": dict(row), "title": title}
    st.rerun()


def newly(chosen: object, key: str) -> bool:
    """Whether this choice was made just now: a live part is drawn again with the old one."""
    before = st.session_state.get(key)
    st.session_state[key] = chosen
    return chosen is not None and chosen != before


def tile(label: str, row: Row, *, help: str | None = None) -> None:
    """One metric with the way to its lines."""
    with st.container(border=True):
        st.metric(label, money.show_side(row["amount_minor"], row["currency"]), help=help)
        if st.button("Show lines", key=f"branch_money_lines_{row['figure']}", type="tertiary"):
            look_behind("branch_money", row, f"Behind {label.lower()}")


def metrics(rows: Sequence[Row], currency: str) -> None:
    """The four that matter: deposits, cash, loans, and what moved on the day."""
    total: dict[str, int] = defaultdict(int)
    for row in rows:
        total[row["figure"]] += row["amount_minor"]

    def sum_of(figure: str) -> Row:
        return {"figure": figure, "currency": currency, "amount_minor": total[figure]}

    one, two, three, four = st.columns(4)
    with one:
        tile("Deposits", sum_of("deposits"))
    with two:
        tile("Cash in hand", sum_of("cash"), help="An asset: it stands on the debit side.")
    with three:
        tile("Loans outstanding", sum_of("loans"), help="An asset: it stands on the debit side.")
    with four, st.container(border=True):
        st.metric(
            "Moved on accounts",
            money.show(total["in"] + total["out"], currency),
            help=f"On the day: in {money.show(total['in'], currency)}, "
            f"out {money.show(-total['out'], currency)}.",
        )
        with st.container(horizontal=True):
            for figure in ("in", "out"):
                if st.button(f"Show {figure}", key=f"branch_money_lines_{figure}", type="tertiary"):
                    look_behind("branch_money", sum_of(figure), f"Behind {NAMES[figure].lower()}")


def by_product(rows: Sequence[Row], currency: str) -> None:
    """Which product holds the deposits; a click on a bar opens its lines."""
    held: dict[str, int] = defaultdict(int)
    product_of = {}
    for row in rows:
        if row["figure"] == "deposits":
            held[row["label"]] += row["amount_minor"]
            product_of[row["label"]] = row["product"]
    if not held:
        ui.empty("No deposits yet.", "They appear here with the first one at the counter.")
        return
    largest = max(held, key=lambda name: held[name])
    clicked = charts.bars(
        f"{largest}s hold the most deposits", held, key="branch_money_bars", currency=currency
    )
    if newly(clicked, "branch_money_bar") and clicked in product_of:
        look_behind(
            "branch_money",
            {"figure": "deposits", "currency": currency, "product": product_of[clicked]},
            f"Behind {clicked}",
        )


def every_figure(rows: Sequence[Row]) -> None:
    """The table beside the chart; a chosen row opens its lines."""
    chosen = tables.choose(
        rows,
        FIGURES if len({row["branch"] for row in rows}) > 1 else FIGURES[1:],
        key="branch_money_figures",
        id_of=lambda row: (row["branch"], row["figure"], row["product"]),
        prompt="Choose a figure",
        file_name="branch-money.csv",
    )
    row_id = chosen and (chosen["branch"], chosen["figure"], chosen["product"])
    if newly(row_id, "branch_money_row") and chosen is not None:
        look_behind("branch_money", chosen, f"Behind {_named(chosen)}, {chosen['branch_name']}")


def year(rows: Sequence[Row], currency: str) -> None:
    """How deposits stood and cash flowed over a year, and the last days as a table."""
    deposits = [row for row in rows if row["figure"] == "deposits"]
    cash = [row for row in rows if row["figure"] != "deposits"]
    left, right = st.columns(2)
    if len(deposits) > 1:
        grown = deposits[-1]["amount_minor"] - deposits[0]["amount_minor"]
        verb = "grew" if grown >= 0 else "fell"
        with left:
            charts.lines(
                f"Deposits {verb} by {charts.short(abs(grown), currency)}"
                f" since {words.day(deposits[0]['day'])}",
                [row["day"] for row in deposits],
                {"Deposits": [row["amount_minor"] for row in deposits]},
                key="branch_money_trend",
                currency=currency,
            )
    if cash:
        with right:
            cash_flow(cash, currency)
    days = sorted({row["day"] for row in rows})[-DAYS_IN_TABLE:]
    recent = sorted(
        (row for row in rows if row["day"] in days),
        key=lambda row: (row["day"], row["figure"]),
        reverse=True,
    )
    if not recent:
        return
    with st.expander("The last days as a table", icon=":material/table:"):
        chosen = tables.choose(
            recent,
            TREND,
            key="branch_money_days",
            id_of=lambda row: (row["day"], row["figure"]),
            prompt="Choose a day",
            file_name="branch-money-days.csv",
        )
    row_id = chosen and (chosen["day"], chosen["figure"])
    if newly(row_id, "branch_money_day") and chosen is not None:
        title = f"Behind {NAMES[chosen['figure']].lower()} of {words.day(chosen['day'])}"
        look_behind("branch_trend", chosen, title)


def cash_flow(rows: Sequence[Row], currency: str) -> None:
    """Cash in and out by month. Cash that comes in is a debit, so its sign is turned."""
    months: dict[str, dict[str, int]] = {}
    for row in sorted(rows, key=lambda row: row["day"]):
        month = months.setdefault(f"{row['day']:%b %Y}", {"cash_in": 0, "cash_out": 0})
        month[row["figure"]] += row["amount_minor"]
    gained = sum(-month["cash_in"] - month["cash_out"] for month in months.values())
    way = "came in than went out" if gained >= 0 else "went out than came in"
    charts.in_and_out(
        f"{charts.short(abs(gained), currency)} more cash {way} in a year",
        list(months),
        [-month["cash_in"] for month in months.values()],
        [month["cash_out"] for month in months.values()],
        key="branch_money_cash",
        currency=currency,
    )


@ui.live(REFRESH_SECONDS, Permission.BRANCH_MONEY_VIEW)
def live_tiles(
    desk: Desk, branch: int | None, day: date | None, currency: str, under_title: DeltaGenerator
) -> None:
    """The four figures, and under the page's title how old they are."""
    with ui.attempt():
        report = reports.run(desk, "branch_money", {"branch": branch, "day": day})
        with under_title:
            figures.context(desk, report, branch)
        metrics([row for row in report.rows if row["currency"] == currency], currency)


@ui.live(REFRESH_SECONDS, Permission.BRANCH_MONEY_VIEW)
def live_charts(desk: Desk, branch: int | None, day: date | None, currency: str) -> None:
    """Every figure, and the year."""
    asked = {"branch": branch, "day": day}
    with ui.attempt():
        money_rows = reports.run(desk, "branch_money", asked).rows
        rows = [row for row in money_rows if row["currency"] == currency]
        left, right = st.columns([2, 3])
        with left:
            by_product(rows, currency)
        with right:
            every_figure(rows)
        trend = reports.run(desk, "branch_trend", asked).rows
        year([row for row in trend if row["currency"] == currency], currency)


def lines_behind(params: Row, currency: str) -> None:
    """The lines of the figure that was clicked last, right below the tiles."""
    opened = st.session_state.get(BEHIND)
    if opened is None:
        st.caption("Choose a figure to see the journal lines behind it.")
        return
    with st.container(border=True):
        behind.lines_behind(
            desk,
            opened["report"],
            {**opened["row"], "currency": currency},
            params,
            title=opened["title"],
            key=BEHIND,
        )
        if st.button("Hide lines", key="branch_money_hide", type="tertiary"):
            del st.session_state[BEHIND]
            st.rerun()


under_title = st.empty()  # one line, replaced by every refresh of the tiles
with ui.attempt():
    with st.container(horizontal=True, vertical_alignment="bottom"):
        branch = figures.branch_choice(desk, key="branch_money_branch")
        day = forms.day_input(
            "As of",
            last=desk.bank.clock.business_date(),
            help="Empty is today, and follows the day.",
            key="branch_money_as_of",
        )
        now = reports.run(desk, "branch_money", {"branch": branch, "day": day})
        currency = figures.currency_choice(now.rows, key="branch_money_currency")
    live_tiles(branch, day, currency, under_title)
    lines_behind(now.params, currency)
    live_charts(branch, day, currency)
