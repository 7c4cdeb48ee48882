"""Reports as people see them: what they ask for, how old they are, their chart and their table.

All of it is made of the header of the report's file (reports/README.md), so that a new file needs
no page of its own.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final

import streamlit as st

from bank.core import money
from bank.core.clock import in_india
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.night import reports
from bank.night.report_files import TODAY, ColumnKind, Param, ParamType
from bank.night.reports import Report, ReportCard, ReportColumn
from bank.people import branches
from pages.parts import charts, forms, frame, paging, table_files, tables, words
from pages.parts.tables import Column, Kind

Row = Mapping[str, Any]
FIELD_WIDTH: Final = 280  # pixels
KINDS: Final[Mapping[ColumnKind, Kind]] = {
    ColumnKind.MONEY: Kind.SIDE,
    ColumnKind.AMOUNT: Kind.AMOUNT,
    ColumnKind.WORD: Kind.STATE,
    ColumnKind.DATE: Kind.DAY,
    ColumnKind.NUMBER: Kind.NUMBER,
    ColumnKind.TEXT: Kind.TEXT,
}
AMOUNTS: Final = frozenset({ColumnKind.MONEY, ColumnKind.AMOUNT})
CURRENCY: Final = "currency"


def card_of(desk: Desk, name: str) -> ReportCard:
    """A report that this desk may run, by the name of its file."""
    for card in reports.reports_for(desk):
        if card.name == name:
            return card
    raise reports.NoSuchReport


def inputs(desk: Desk, card: ReportCard, *, key: str) -> dict[str, Any]:
    """A field for each parameter of a report, under its label; None for what is left empty."""
    return {
        name: _input(desk, param, param.label or words.sentence(name), key=f"{key}_{name}")
        for name, param in card.params.items()
    }


def missing(card: ReportCard, asked: Mapping[str, Any]) -> list[str]:
    """The labels of what a report wants and was not given."""
    return [
        param.label or words.sentence(name)
        for name, param in card.params.items()
        if param.required and param.default is None and asked[name] in {None, ""}
    ]


def branch_of(card: ReportCard, asked: Mapping[str, Any]) -> int | None:
    """The branch that was asked for, None for the whole bank."""
    for name, param in card.params.items():
        if param.type is ParamType.BRANCH:
            branch: int | None = asked[name]
            return branch
    return None


def _input(desk: Desk, param: Param, label: str, *, key: str) -> Any:
    match param.type:
        case ParamType.BRANCH:
            return branch_choice(desk, label, key=key)
        case ParamType.DATE:
            is_today = param.default == TODAY
            return forms.day_input(
                label,
                param.default if isinstance(param.default, date) else None,
                last=desk.bank.clock.business_date(),
                help="Empty is today, and follows the day." if is_today else None,
                key=key,
            )
        case ParamType.INT:
            return st.number_input(
                label,
                value=param.default if isinstance(param.default, int) else None,
                step=1,
                key=key,
                width=FIELD_WIDTH,
            )
        case ParamType.TEXT if param.options is not None:
            options = list(param.options)
            return st.selectbox(
                label,
                options,
                index=options.index(str(param.default)) if param.default in options else None,
                format_func=param.options.__getitem__,
                placeholder="Choose one" if param.required else "All",
                key=key,
                width=FIELD_WIDTH,
            )
        case ParamType.TEXT:
            default = param.default if isinstance(param.default, str) else ""
            typed = st.text_input(
                label, default, max_chars=reports.LONGEST_TEXT, key=key, width=FIELD_WIDTH
            )
            return typed.strip() or None


def branch_choice(desk: Desk, label: str, *, key: str) -> int | None:
    """The branch to look at: one's own, or the choice of who sees the whole bank (None: all)."""
    if not desk.sees_whole_bank:
        return desk.branch_id
    names = {card.id: card.name for card in branches.branches(desk)}
    return st.selectbox(
        label,
        [None, *names],
        format_func=lambda id: names.get(id, "All branches"),
        key=key,
        width=FIELD_WIDTH,
    )


def currency_choice(report: Report, *, key: str) -> str:
    """The currency to look at, asked only where there are several; the bank's own comes first."""
    codes = report.values(CURRENCY) if _has_currency(report) else []
    found: list[str] = sorted(codes, key=lambda code: code != money.HOME)
    if len(found) < 2:
        return found[0] if found else money.HOME
    chosen: str | None = st.segmented_control(
        "Currency", found, default=found[0], required=True, key=key
    )
    return chosen or found[0]


def in_currency(report: Report, currency: str) -> Report:
    """The rows of one currency; all of them where a report is not about money."""
    return report.where(CURRENCY, currency) if _has_currency(report) else report


def _has_currency(report: Report) -> bool:
    return any(item.name == CURRENCY for item in report.columns)


def context(desk: Desk, report: Report, branch_id: int | None) -> None:
    """One line: branch, day, and how old the figures are."""
    card = frame.branch_by_id(desk, branch_id) if branch_id is not None else None
    said = [card.name if card is not None else "All branches"]
    day = report.params.get("day")
    if day is not None:
        said.append(words.day(day))
    read_at = in_india(report.as_of)
    age = max(0, round(report.age_seconds))
    said.append(f"figures of {read_at:%H:%M:%S}, {words.counted(age, 'second')} old")
    st.caption(words.plain(" · ".join(said)))


def columns_of(report: Report, without: Collection[str] = ()) -> list[Column[Row]]:
    """The columns of a report, as its header names and writes them.

    A phone keeps the first two and the last amount. An amount says its currency itself.
    """
    has_amounts = any(item.kind in AMOUNTS for item in report.columns)
    shown = [
        item
        for item in report.columns
        if item.kind is not ColumnKind.HIDDEN
        and item.name not in without
        and not (has_amounts and item.name == CURRENCY)
    ]
    last = [item for item in shown if item.kind in AMOUNTS][-1:]
    keys = {item.name for item in (*shown[:2], *last)}
    return [_column(item, key=item.name in keys) for item in shown]


def called(report: Report, row: Row) -> str:
    """A row by everything that it says beside its amounts."""
    said = (
        tables.written(item.of(row), item.kind)
        for item in columns_of(report)
        if item.kind not in {Kind.SIDE, Kind.AMOUNT}
    )
    return ", ".join(filter(None, said))


def _column(item: ReportColumn, *, key: bool) -> Column[Row]:
    def value(row: Row) -> Any:
        return row[item.name]

    def unless_zero(row: Row) -> Any:
        return row[item.name] or None

    return Column(
        label=item.label,
        value=unless_zero if item.kind is ColumnKind.AMOUNT else value,
        kind=KINDS[item.kind],
        key=key,
        currency=(lambda row: row[CURRENCY]) if item.kind in AMOUNTS else money.HOME,
    )


def table(
    desk: Desk,
    report: Report,
    *,
    key: str,
    without: Collection[str] = (),
    prompt: str = "Choose a row",
    file_name: str | None = None,
) -> Row | None:
    """A report's rows page by page, with all of them as a file; the row that was chosen."""
    columns = columns_of(report, without)
    ids = [item.name for item in report.columns if item.kind not in AMOUNTS]
    about = (report.name, sorted(map(str, report.params.items())), dict(report.only))
    page = paging.page_of(f"{key}_page", about, report.count)
    chosen = tables.choose(
        report.page(page.skip, page.take),
        columns,
        key=key,
        id_of=lambda row: tuple(row[name] for name in ids),
        prompt=prompt,
    )

    def whole(asking: Desk) -> Sequence[Row]:
        again = reports.run(asking, report.name, report.params)
        for column, value in report.only.items():
            again = again.where(column, value)
        return again.rows

    with st.container(horizontal=True, vertical_alignment="center"):
        page.turn("Previous", "Next")
        table_files.offer(
            whole,
            columns,
            name=file_of(report, (file_name or report.name).removesuffix(".csv")),
            key=key,
            filters=tables.narrowed({**report.params, **report.only}),
            permission=Permission.REPORT_RUN,
        )
    return chosen


def file_of(report: Report, name: str) -> str:
    """What a file of these rows is called: one that was cut says so."""
    cut = f"-first-{report.count}" if report.truncated else ""
    return f"{name.replace('_', '-')}{cut}"


def chart(report: Report, *, key: str, currency: str, title: str | None = None) -> str | None:
    """The chart of a report's header over its rows; what was clicked. `title` is its answer."""
    if report.chart is None or not report.count:
        return None
    x, y, colour = report.chart.x, report.chart.y, report.chart.colour
    said = title or report.title
    if report.chart.kind == "bar":
        held: dict[str, int] = defaultdict(int)
        for row in report.rows:
            held[str(row[x])] += row[y]
        return charts.bars(said, held, key=key, currency=currency)
    if report.chart.kind == "in_and_out":
        months: dict[date, dict[bool, int]] = defaultdict(lambda: {True: 0, False: 0})
        for row in report.rows:
            comes_in = (row[y] < 0) is (report.chart.comes_in == "debit")
            months[row[x].replace(day=1)][comes_in] += abs(row[y])
        charts.in_and_out(
            said,
            [f"{month:%b %Y}" for month in sorted(months)],
            [months[month][True] for month in sorted(months)],
            [months[month][False] for month in sorted(months)],
            key=key,
            currency=currency,
        )
        return None
    series: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for row in report.rows:
        series[str(row[colour]) if colour else said][row[x]] += row[y]
    days = sorted({day for values in series.values() for day in values})
    charts.lines(
        said,
        days,
        {name: [values.get(day) for day in days] for name, values in series.items()},
        key=key,
        currency=currency,
        from_zero=False,  # it shows how amounts went, and bars how large they are
    )
    return None
