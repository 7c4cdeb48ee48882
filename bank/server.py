"""The start of the server: what is loaded before the first visitor, and when it listens."""

import importlib
import logging
from collections.abc import Callable
from socket import socket
from typing import Final

import uvicorn

# What a page may need is loaded before the first freeze, so that no visitor waits for it.
LOADED_EARLY: Final = (
    "plotly.graph_objects",
    "pandas",
    "pyarrow",
    "streamlit.elements.arrow",
    "streamlit.elements.plotly_chart",
    "pages.parts.charts",
    "pages.parts.forms",
    "pages.parts.sign_in",
    "pages.parts.tables",
)
OF_PAGES: Final = "streamlit.runtime.scriptrunner_utils.script_run_context"


def warm_up() -> None:
    """Load what a page may need and build one figure, which makes plotly's validators, so that the
    first freeze holds all of it and no visitor waits."""
    # Components say where they are when they are loaded; that no page is being drawn is no news.
    # (A filter, since Streamlit sets the level of its loggers whenever it reads its settings.)
    logging.getLogger(OF_PAGES).addFilter(lambda record: record.levelno > logging.WARNING)
    modules = {name: importlib.import_module(name) for name in LOADED_EARLY}
    graphs = modules["plotly.graph_objects"]
    graphs.Figure([graphs.Bar(x=[1], y=[1]), graphs.Scatter(x=[1], y=[1])]).to_json()


class Server(uvicorn.Server):
    """uvicorn's server, which says when it listens."""

    def __init__(self, config: uvicorn.Config, opened: Callable[[], None]) -> None:
        super().__init__(config)
        self._opened = opened

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start listening; where the port is taken, uvicorn says so and ends the process."""
        await super().startup(sockets)
        if self.started:
            self._opened()
