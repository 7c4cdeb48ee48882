"""Branch money: what a branch holds, what came in and went out, how the year went. Live."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bank.core import money
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.night import reports
from bank.night.reports import Report
from pages.parts import behind, charts, figures, ui, words
from pages.parts.figures import Row

desk = ui.enter(Permission.BRANCH_MONEY_VIEW, title="Branch money", context="")

REFRESH_SECONDS = 2.0
BEHIND = "branch_money_behind"
LINES = ":material/list_alt:"
MONEY, TREND, CASH = "branch_money", "branch_trend", "cash_by_month"


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
        if st.button(
            "Show lines",
            key=f"branch_money_lines_{row['figure']}",
            icon=LINES,
            type="tertiary",
        ):
            look_behind("branch_money", row, f"Behind {label.lower()}")


def metrics(report: Report, currency: str) -> None:
    """The four that matter: deposits, cash, loans, and what moved on the day."""

    def sum_of(figure: str) -> Row:
        total = report.where("figure", figure).total("amount_minor")
        return {"figure": figure, "currency": currency, "amount_minor": total}

    one, two, three, four = st.columns(4)
    with one:
        tile("Deposits", sum_of("deposits"))
    with two:
        tile("Cash in hand", sum_of("cash"), help="An asset: it stands on the debit side.")
    with three:
        tile("Loans outstanding", sum_of("loans"), help="An asset: it stands on the debit side.")
    came, went = sum_of("in"), sum_of("out")
    with four, st.container(border=True):
        st.metric(
            "In and out of accounts",
            f"{charts.short(came['amount_minor'], currency)} / "
            f"{charts.short(-went['amount_minor'], currency)}",
            help=f"On the day: in {money.show(came['amount_minor'], currency)}, "
            f"out {money.show(-went['amount_minor'], currency)}.",
        )
        with st.container(horizontal=True):
            for row, said in ((came, "into accounts"), (went, "out of accounts")):
                if st.button(
                    f"Show {row['figure']}",
                    key=f"branch_money_lines_{row['figure']}",
                    icon=LINES,
                    type="tertiary",
                ):
                    look_behind(MONEY, row, f"Behind {said}")


def by_product(report: Report, currency: str) -> None:
    """Which product holds the deposits; a click on a bar opens its lines."""
    deposits = report.where("figure", "deposits")
    if not deposits.count:
        ui.empty("No deposits yet.", "They appear here with the first one at the counter.")
        return
    products = {
        label: deposits.where("label", label).total("amount_minor")
        for label in deposits.values("label")
    }
    largest = max(products, key=products.__getitem__)
    clicked = figures.chart(
        deposits,
        key="branch_money_bars",
        currency=currency,
        title=f"{largest}s hold the most deposits",
    )
    if newly(clicked, "branch_money_last_bar") and clicked is not None and clicked in products:
        [code] = deposits.where("label", clicked).values("product")
        look_behind(
            MONEY,
            {"figure": "deposits", "currency": currency, "product": code},
            f"Behind {clicked}",
        )


def every_figure(desk: Desk, report: Report) -> None:
    """The table beside the chart; a chosen row opens its lines."""
    chosen = figures.table(
        desk,
        report,
        key="branch_money_figures",
        without=("branch_name",) if len(report.values("branch")) < 2 else (),
        prompt="Choose a figure",
    )
    row_id = chosen and (chosen["branch"], chosen["figure"], chosen["product"])
    if newly(row_id, "branch_money_last_row") and chosen is not None:
        look_behind(MONEY, chosen, f"Behind {chosen['label']}, {chosen['branch_name']}")


def year(desk: Desk, report: Report, currency: str) -> None:
    """How deposits stood over a year, and each day as a table."""
    deposits = report.where("figure", "deposits")
    if deposits.count > 1:
        [newest], [oldest] = deposits.page(0, 1), deposits.page(deposits.count - 1, 1)
        grown = newest["amount_minor"] - oldest["amount_minor"]
        verb = "grew" if grown >= 0 else "fell"
        figures.chart(
            deposits,
            key="branch_money_trend",
            currency=currency,
            title=f"Deposits {verb} by {charts.short(abs(grown), currency)}"
            f" since {words.day(oldest['day'])}",
        )
    if report.count:
        with st.expander("Each day as a table", icon=":material/table:"):
            chosen = figures.table(desk, report, key="branch_money_days", prompt="Choose a day")
        row_id = chosen and (chosen["day"], chosen["figure"])
        if newly(row_id, "branch_money_last_day") and chosen is not None:
            look_behind(TREND, chosen, f"Behind {chosen['label']} of {words.day(chosen['day'])}")


def cash_by_month(desk: Desk, report: Report, currency: str) -> None:
    """Cash in and out by month, and beside it the months; a chosen one opens its lines."""
    if not report.count:
        return
    gained = -report.total("amount_minor")  # cash that comes in is a debit
    way = "came in than went out" if gained >= 0 else "went out than came in"
    left, right = st.columns([2, 3])
    with left:
        figures.chart(
            report,
            key="branch_money_cash",
            currency=currency,
            title=f"{charts.short(abs(gained), currency)} more cash {way} in a year",
        )
    with right:
        chosen = figures.table(
            desk,
            report,
            key="branch_money_months",
            without=("start", "day"),
            prompt="Choose a month",
        )
    row_id = chosen and (chosen["day"], chosen["figure"])
    if newly(row_id, "branch_money_last_month") and chosen is not None:
        span = f"{words.day(chosen['start'])} to {words.day(chosen['day'])}"
        look_behind(CASH, chosen, f"Behind {chosen['label'].lower()}, {span}")


@ui.live(REFRESH_SECONDS, Permission.BRANCH_MONEY_VIEW)
def live_tiles(desk: Desk, asked: Row, currency: str, under_title: DeltaGenerator) -> None:
    """The four figures, and under the page's title how old they are."""
    with ui.attempt():
        report = reports.run(desk, MONEY, asked)
        with under_title:
            figures.context(desk, report, asked["branch"])
        metrics(report.where("currency", currency), currency)


@ui.live(REFRESH_SECONDS, Permission.BRANCH_MONEY_VIEW)
def live_charts(desk: Desk, asked: Row, currency: str) -> None:
    """Every figure, and the year."""
    with ui.attempt():
        report = reports.run(desk, MONEY, asked).where("currency", currency)
        left, right = st.columns([2, 3])
        with left:
            by_product(report, currency)
        with right:
            every_figure(desk, report)
        year(desk, reports.run(desk, TREND, asked).where("currency", currency), currency)
        cash_by_month(desk, reports.run(desk, CASH, asked).where("currency", currency), currency)


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
        asked = figures.inputs(desk, figures.card_of(desk, MONEY), key=MONEY)
        now = reports.run(desk, MONEY, asked)
        currency = figures.currency_choice(now, key="branch_money_currency")
    live_tiles(asked, currency, under_title)
    lines_behind(now.params, currency)
    live_charts(asked, currency)
