"""Charts, one way: the answer in the title, bars from zero, one highlight, the table behind it.

Colours are chosen to be readable on the light and the dark surface; text, grid and background come
from Streamlit's theme in the browser, so one figure serves both. Figures are cached by content.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from bank.core import money
from pages.parts import words

HIGHLIGHT: Final = "#2F6FED"  # what the chart is about
QUIET: Final = "#8494AD"  # everything else
GOOD: Final = "#1F9D6B"  # money in
BAD: Final = "#D9573F"  # money out
SERIES: Final = (HIGHLIGHT, "#12A594", "#D98A1F", "#8B6FE8", QUIET)
_LAKH: Final = 1_00_000
_CRORE: Final = 1_00_00_000


def short(amount_minor: int | float, currency: str = money.HOME, digits: int = 1) -> str:
    """An amount for an axis or a label: `₹ 1.2 Cr`, `₹ 45 L`, `₹ 8,500`; `CZK 1.2 M` abroad.

    `digits` stand behind the point; one of them, a zero, is left out.
    """
    sign, (size, unit) = ("-" if amount_minor < 0 else ""), _scaled(amount_minor, currency)
    text = f"{_trimmed(size, digits)} {unit}" if unit else f"{size:,.0f}"
    return f"{sign}{money.symbol(currency)} {text}"


def _scaled(amount_minor: int | float, currency: str) -> tuple[float, str]:
    """How much it is without its sign, in the largest unit that it fills."""
    size = abs(float(Decimal(amount_minor).scaleb(-money.exponent(currency))))
    home = money.SYMBOLS.get(currency) == "₹"
    steps = ((_CRORE, "Cr"), (_LAKH, "L")) if home else ((1e9, "B"), (1e6, "M"))
    return next(((size / step, unit) for step, unit in steps if size >= step), (size, ""))


def bars(
    title: str,
    amounts: Mapping[str, int],
    *,
    key: str,
    currency: str = money.HOME,
    highlight: str | None = None,
    ordered: bool = True,
    alt: str = "",
) -> str | None:
    """Horizontal bars of amounts (minor units) by name, largest first; returns the one clicked.

    `highlight` is the name in the strong colour (default: the largest). `ordered=False` keeps the
    given order (days, steps).
    """
    pairs = sorted(amounts.items(), key=lambda pair: -pair[1]) if ordered else list(amounts.items())
    strong = highlight or (max(amounts, key=lambda name: amounts[name]) if amounts else None)
    figure = _bar_figure(tuple(pairs), strong, currency)
    _title(title)
    event = st.plotly_chart(
        figure,
        key=key,
        on_select="rerun",
        selection_mode="points",
        config=_QUIET_BAR,
        alt=alt or _told(title, pairs, currency),
    )
    points = event.selection.points
    return str(points[0]["y"]) if points else None


def lines(
    title: str,
    days: Sequence[date],
    series: Mapping[str, Sequence[int | None]],
    *,
    key: str,
    currency: str = money.HOME,
    from_zero: bool = True,
    alt: str = "",
) -> None:
    """Amounts (minor units) over days, one line per name; the first is the highlighted one.

    A None is a day without one: the line goes on to the next.
    """
    _title(title)
    st.plotly_chart(
        _line_figure(
            tuple(days),
            tuple((name, tuple(values)) for name, values in series.items()),
            currency,
            from_zero,
        ),
        key=key,
        config=_QUIET_BAR,
        alt=alt or f"{title}. {', '.join(series)} from {_span(days)}.",
    )


def in_and_out(
    title: str,
    labels: Sequence[str],
    money_in: Sequence[int],
    money_out: Sequence[int],
    *,
    key: str,
    currency: str = money.HOME,
    alt: str = "",
) -> None:
    """Upright bars of credits above and debits below zero, by period; all values positive minor."""
    _title(title)
    st.plotly_chart(
        _in_out_figure(tuple(labels), tuple(money_in), tuple(money_out), currency),
        key=key,
        config=_QUIET_BAR,
        alt=alt
        or f"{title}. In {short(sum(money_in), currency)}, out {short(sum(money_out), currency)}.",
    )


def counts(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[int]],
    *,
    key: str,
) -> None:
    """Upright bars of how many there were by period, one colour per name, on top of each other."""
    _title(title)
    told = ", ".join(f"{name} {sum(values):,}" for name, values in series.items())
    st.plotly_chart(
        _count_figure(
            tuple(labels), tuple((name, tuple(values)) for name, values in series.items())
        ),
        key=key,
        config=_QUIET_BAR,
        alt=f"{title}. {told}.",
    )


_QUIET_BAR: Final[dict[str, Any]] = {"displayModeBar": False, "scrollZoom": False}


def _title(title: str) -> None:
    st.markdown(f"**{words.plain(title)}**")


def _trimmed(value: float, digits: int) -> str:
    if digits > 1:
        return f"{value:,.{digits}f}"
    return f"{value:,.1f}".removesuffix(".0") if value < 100 else f"{value:,.0f}"


def _told(title: str, pairs: Sequence[tuple[str, int]], currency: str) -> str:
    told = ", ".join(f"{name} {short(amount, currency)}" for name, amount in pairs[:12])
    return f"{title}. {told}."


def _span(days: Sequence[date]) -> str:
    return f"{words.day(days[0])} to {words.day(days[-1])}" if days else "no days"


def _ticks(lowest: int, highest: int, currency: str) -> dict[str, Any]:
    """Axis ticks at round amounts of the currency, labelled in lakh and crore."""
    unit = 10 ** money.exponent(currency)
    rough = max(highest - lowest, unit) / unit / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * size for size in (1, 2, 2.5, 5, 10) if rough <= power * size)
    first = int(lowest / unit // step)
    last = int(-(-highest / unit // step))
    at = [round(number * step * unit) for number in range(first, last + 1)]
    digits = max(_digits_of(value, currency) for value in at)
    return {"tickvals": at, "ticktext": [short(value, currency, digits) for value in at]}


def _digits_of(value: int, currency: str) -> int:
    """How many digits behind the point it takes to write a tick as what it is."""
    size, unit = _scaled(value, currency)
    if not unit or size == round(size) or (size < 100 and round(size, 9) == round(size, 1)):
        return 1
    return next((n for n in range(2, 6) if round(size, 9) == round(size, n)), 6)


def _layout(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=len(figure.data) > 1,
        legend={"orientation": "h", "y": 1.12, "x": 0, "title": None},
        hovermode="closest",
        bargap=0.35,
        dragmode=False,
    )
    figure.update_xaxes(automargin=True, fixedrange=True, title=None)
    figure.update_yaxes(automargin=True, fixedrange=True, title=None)
    return figure


@st.cache_data(max_entries=200, show_spinner=False)
def _bar_figure(pairs: tuple[tuple[str, int], ...], strong: str | None, currency: str) -> go.Figure:
    names = [name for name, _ in pairs]
    values = [amount for _, amount in pairs]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker_color=[HIGHLIGHT if name == strong else QUIET for name in names],
            text=[short(value, currency) for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertext=[f"{name}: {money.show(value, currency)}" for name, value in pairs],
            hoverinfo="text",
        )
    )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(visible=False, rangemode="tozero")
    if values:
        room = (max(values) - min(0, *values)) * 0.36  # for the labels beside the bars
        figure.update_xaxes(range=[min(0, *values) * 1.22, max(0, *values) + room])
    return _layout(figure, height=60 + 38 * max(1, len(pairs)))


@st.cache_data(max_entries=200, show_spinner=False)
def _line_figure(
    days: tuple[date, ...],
    series: tuple[tuple[str, tuple[int | None, ...]], ...],
    currency: str,
    from_zero: bool,
) -> go.Figure:
    figure = go.Figure()
    for number, (name, values) in enumerate(series):
        figure.add_scatter(
            x=list(days),
            y=list(values),
            name=name,
            mode="lines",
            line={"color": SERIES[number % len(SERIES)], "width": 2.5 if number == 0 else 1.75},
            hovertext=[
                "" if value is None else f"{words.day(day)}: {name} {money.show(value, currency)}"
                for day, value in zip(days, values, strict=True)
            ],
            hoverinfo="text",
            connectgaps=True,
        )
    amounts = [value for _, values in series for value in values if value is not None] or [0]
    low, high = (min(0, *amounts), max(0, *amounts)) if from_zero else (min(amounts), max(amounts))
    figure.update_yaxes(**_ticks(low, high, currency))
    few = len(days) < 8
    figure.update_xaxes(tickformat="%d %b\n%Y" if few else "%b\n%Y", nticks=6, tickangle=0)
    return _layout(figure, height=280)


@st.cache_data(max_entries=200, show_spinner=False)
def _count_figure(
    labels: tuple[str, ...], series: tuple[tuple[str, tuple[int, ...]], ...]
) -> go.Figure:
    figure = go.Figure()
    for number, (name, values) in enumerate(series):
        figure.add_bar(
            x=list(labels),
            y=list(values),
            name=name,
            marker_color=SERIES[number % len(SERIES)],
            hovertext=[
                f"{label}: {value:,} {name.lower()}"
                for label, value in zip(labels, values, strict=True)
            ],
            hoverinfo="text",
        )
    told = labels[:: -(-len(labels) // 7) or 1]
    figure.update_xaxes(
        type="category",
        tickvals=list(told),
        ticktext=[label.replace(" ", "<br>", 1) for label in told],
        tickangle=0,
    )
    figure.update_yaxes(rangemode="tozero", tickformat=",d", nticks=5)
    if max(map(sum, zip(*(values for _, values in series), strict=True)), default=0) < 5:
        figure.update_yaxes(dtick=1)  # there are no half cases
    figure.update_layout(barmode="stack")
    return _layout(figure, height=260)


@st.cache_data(max_entries=200, show_spinner=False)
def _in_out_figure(
    labels: tuple[str, ...], money_in: tuple[int, ...], money_out: tuple[int, ...], currency: str
) -> go.Figure:
    figure = go.Figure()
    for name, values, colour, sign in (
        ("In", money_in, GOOD, 1),
        ("Out", money_out, BAD, -1),
    ):
        figure.add_bar(
            x=list(labels),
            y=[sign * value for value in values],
            name=name,
            marker_color=colour,
            hovertext=[
                f"{label}: {name.lower()} {money.show(value, currency)}"
                for label, value in zip(labels, values, strict=True)
            ],
            hoverinfo="text",
        )
    figure.update_yaxes(
        **_ticks(-max(money_out, default=0), max(money_in, default=0), currency), zeroline=True
    )
    # Upright on a phone, too: at most seven labels, the year below the month.
    told = labels[:: -(-len(labels) // 7) or 1]
    figure.update_xaxes(
        type="category",
        tickvals=list(told),
        ticktext=[label.replace(" ", "<br>") for label in told],
        tickangle=0,
    )
    figure.update_layout(barmode="relative")
    return _layout(figure, height=300)
