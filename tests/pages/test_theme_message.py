"""The remembered theme is the one Streamlit would read again: a pin on what web.py replaces."""

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

from bank.web import remember_theme

SECTIONS = ["theme", "theme.sidebar", "theme.light", "theme.dark", "theme.light.sidebar"]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_remembered_theme_says_the_same(section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read_again = app_session._populate_theme_msg
    monkeypatch.setattr(app_session, "_populate_theme_msg", read_again)  # put back afterwards
    expected = CustomThemeConfig()
    read_again(expected, section)
    assert not getattr(read_again, "remembers", False)
    remember_theme()
    remembers = app_session._populate_theme_msg
    for _ in range(2):
        said = CustomThemeConfig()
        app_session._populate_theme_msg(said, section)
        assert said == expected
    remember_theme()
    assert app_session._populate_theme_msg is remembers, "wrapped once"


def test_the_house_has_a_theme() -> None:
    assert config.get_option("theme.light.primaryColor")
    said = CustomThemeConfig()
    app_session._populate_theme_msg(said, "theme.light")
    assert said.primary_color
