"""Time, chance and the environment come from core; each outside package has one door."""

import ast
import re
from itertools import chain
from typing import Final

import pytest

from tests.house.source import imported, name_of, packages, parse, python_files

DOORS: Final = {
    # A package of somebody else, and the only place (file, or folder with a slash) that imports it.
    # Whoever replaces the package changes one place.
    "pyotp": ("bank/people/codes.py",),
    "bcrypt": ("bank/people/passwords.py",),
    "zxcvbn": ("bank/people/passwords.py",),
    "yagmail": ("bank/core/mail.py",),
    "duckdb": ("bank/night/analytics.py",),
    "streamlit_authenticator": ("pages/parts/",),
    "streamlit": ("bank/web.py", "pages/", "Home.py"),
    "pydantic_settings": ("bank/core/config.py",),
}
CORE: Final = "bank/core/"
OUTSIDE: Final = re.compile(
    r"(?:^|\.)(?:"
    r"datetime\.(?:now|utcnow|today)|date\.today|Timestamp\.(?:now|today|utcnow)|time\.time(?:_ns)?"
    r"|uuid[14678]|os\.(?:environ|environb|getenv|putenv|urandom)"
    r")$"
)
CHANCE: Final = {"random", "secrets", "numpy.random"}
UNSEEDED: Final = re.compile(r"random\.(?!Random\b)")
SEEDED: Final = "random.Random"  # Random(seed) gives the same numbers every time: no chance in it


def outside_world(name: str, tree: ast.AST) -> list[str]:
    """Where a module outside core asks the clock, the dice or the environment."""
    if name.startswith(CORE):
        return []
    found = set()
    for line, used in imported(tree):
        package = used.rpartition(".")[0]
        if OUTSIDE.search(used) or used in CHANCE - {"random"} or package in CHANCE - {"random"}:
            found.add((line, used))
        if package == "random" and used != SEEDED:
            found.add((line, used))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            used = ast.unparse(node)
            if OUTSIDE.search(used) or UNSEEDED.match(used):
                found.add((node.lineno, used))
        elif (
            isinstance(node, ast.Call)
            and not (node.args or node.keywords)
            and ast.unparse(node.func) in {"Random", SEEDED}
        ):
            found.add((node.lineno, "Random() without a seed"))
    return [f"{name}:{line}: {used} belongs in core" for line, used in sorted(found)]


def side_doors(name: str, tree: ast.AST) -> list[str]:
    """Outside packages that a file imports although another is their door."""
    return [
        f"{name}:{line}: the door to {package} is {' or '.join(DOORS[package])}"
        for line, package in sorted(packages(tree))
        if package in DOORS
        and not any(
            name == door or (door.endswith("/") and name.startswith(door))
            for door in DOORS[package]
        )
    ]


FILES: Final = {
    name_of(path): path for path in python_files("bank", "pages", "Home.py") if path.is_file()
}


def test_time_chance_and_environment_come_from_core() -> None:
    assert [*chain(*(outside_world(name, parse(path)) for name, path in FILES.items()))] == []


def test_each_package_has_one_door() -> None:
    assert [*chain(*(side_doors(name, parse(path)) for name, path in FILES.items()))] == []


# The rules can fail.


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now(UTC)",
        "import datetime as d\nd.datetime.now()",
        "x = field(default_factory=datetime.now)",
        "date.today()",
        "pd.Timestamp.now()",
        "time.time()",
        "from time import time_ns\nfrom time import time",
        "from uuid import uuid4",
        "uuid.uuid4()",
        "import random\nrandom.choice(x)",
        "from random import choice",
        "from random import Random\nRandom()",
        "import secrets",
        "from secrets import token_hex",
        "os.environ['HOME']",
        "from os import getenv",
    ],
)
def test_the_outside_world_is_found(code: str) -> None:
    assert outside_world("bank/counters/cash.py", ast.parse(code))
    assert outside_world("bank/core/clock.py", ast.parse(code)) == []


@pytest.mark.parametrize(
    "code",
    [
        "from bank.core import secrets\nsecrets.Secret('x')",
        "from bank.core.secrets import Secret",
        "desk.clock.now()",
        "from datetime import date, datetime\ndatetime.fromisoformat(x)",
        "from uuid import UUID, uuid5\nUUID(x)",
        "import random\nrandom.Random(7).choice(x)",
        "from random import Random\nRandom(seed)",
        "import os\nos.fsync(1)",
        "import time\ntime.monotonic()",
    ],
)
def test_what_is_certain_is_left_alone(code: str) -> None:
    assert outside_world("bank/counters/cash.py", ast.parse(code)) == []


@pytest.mark.parametrize(
    ("name", "code", "allowed"),
    [
        ("bank/people/codes.py", "import pyotp", True),
        ("bank/people/customers.py", "import pyotp", False),
        ("bank/night/imports.py", "from duckdb import connect", False),
        ("pages/parts/sign_in.py", "import streamlit_authenticator as stauth", True),
        ("pages/customer/home.py", "from streamlit_authenticator import Hasher", False),
        ("Home.py", "import streamlit as st", True),
        ("bank/app.py", "import streamlit", False),
    ],
)
def test_a_side_door_is_found(name: str, code: str, allowed: bool) -> None:
    assert (side_doors(name, ast.parse(code)) == []) is allowed
