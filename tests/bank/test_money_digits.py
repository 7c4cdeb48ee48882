"""Indian grouping, against the pattern that CLDR publishes for India."""

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from bank.core import money
from bank.core.errors import BadInput


@given(st.integers(-(10**15), 10**15), st.sampled_from(["INR", "CZK", "JPY", "KWD"]))
def test_figures_are_grouped_as_in_india(amount_minor: int, currency: str) -> None:
    places = money.exponent(currency)
    pattern = "#,##,##0" + ("." + "0" * places if places else "")
    whole = abs(money.to_decimal(amount_minor, currency))
    assert money.digits(amount_minor, currency) == format_decimal(whole, pattern, "en_IN")


def test_figures_as_people_write_them() -> None:
    assert money.digits(1_234_567_89) == "12,34,567.89"
    assert money.digits(-5) == "0.05"
    assert money.digits(100_00) == "100.00"
    assert money.digits(1_234_567, "JPY") == "12,34,567"


def test_nothing_is_an_amount_only_where_it_may_be() -> None:
    with pytest.raises(BadInput, match="more than zero"):
        money.parse("0.00")
    assert money.parse("0.00", may_be_zero=True) == 0
    for text in ("", "-1", "0.001"):
        with pytest.raises(BadInput):
            money.parse(text, may_be_zero=True)
