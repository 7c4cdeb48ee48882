"""The bank's pages under a bare `streamlit run`, for tests/bench/page.py to compare with.

Nothing here but what Home.py does: no ASGI app, no gate, no background work, no frozen heap.
The settings come from the environment, as for `python -m bank serve`; the house must be on
PYTHONPATH, because Streamlit looks for modules and pages beside this file.
"""

from typing import Any

import streamlit as st

from bank import app
from bank.core.config import PROJECT
from pages.parts import frame, shell

if not app.is_served():  # once a process
    app.serve_from(app.open_bank())
    page_beside = st.Page

    def page_of_the_house(page: Any, **options: Any) -> Any:
        """A page whose file is given from the root of the house."""
        return page_beside(PROJECT / page if isinstance(page, str) else page, **options)

    st.Page = page_of_the_house  # type: ignore[assignment,misc]
st.set_page_config(page_title=frame.NAME, page_icon="🏦", layout="wide")
frame.style()
shell.run()
