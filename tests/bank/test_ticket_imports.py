"""Tickets of another system: 500 real questions of bank customers, loaded, searched, filtered."""

import csv
from pathlib import Path
from typing import Final

import pytest

from bank import app
from bank.core import search
from bank.core.errors import BadInput, NotAllowed
from bank.core.work_tables import Priority
from bank.office import queue_lists, ticket_imports
from bank.office.queue_lists import Looked, View
from bank.office.ticket_imports import Imported, NoCustomers, WrongColumns
from tests.support import queues
from tests.support.market import BANER, FORT, Market
from tests.support.server import run_bank

pytestmark = pytest.mark.feature("A6.2", "B12")
QUESTIONS: Final = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "tickets" / "banking77_500.csv"
)


def number(market: Market, who: str) -> str:
    """A customer's number."""
    wanted = f"SELECT number FROM customers WHERE id = {market.desks[who].customer_id}"
    return str(market.rows(wanted)[0]["number"])


def brought_in(market: Market, file: Path, *who: str) -> Imported:
    """The system reads a file."""
    numbers = [number(market, each) for each in who]
    return ticket_imports.import_tickets(app.system_desk(market.bank), file, numbers)


def found(market: Market, who: str = "executive", **looked: object) -> int:
    """How many open tickets somebody finds."""
    wanted = Looked(view=View.ALL_OPEN, **looked)  # type: ignore[arg-type]
    return queue_lists.items(market.desks[who], wanted).found


@pytest.mark.skipif(not QUESTIONS.exists(), reason="../shared/data/tickets is not here")
def test_real_questions_become_tickets_that_are_found(market: Market) -> None:
    done = brought_in(market, QUESTIONS, "asha", "vikram")
    assert (done.taken, done.known, done.refused) == (500, 0, [])
    assert found(market) == found(market, "executive_baner") == 250
    assert market.mails("ticket") == []
    with QUESTIONS.open(encoding="utf-8", newline="") as lines:
        said = [search.folded(f"{row['category']} {row['text']}") for row in csv.DictReader(lines)]
    for word in ("refund", "stolen", "exchange"):
        holds = sum(any(each.startswith(word) for each in words) for words in said)
        both = [found(market, who, words=word) for who in ("executive", "executive_baner")]
        assert sum(both) == holds > 5, word
    strange = sum({"not", "recognised"} <= set(words) for words in said)
    assert len(market.rows("SELECT id FROM tickets WHERE category = 'unknown_entry'")) == strange
    looked = {"priority": Priority.URGENT}
    assert found(market, **looked) + found(market, "executive_baner", **looked) == strange
    assert found(market, words="vikram") == 0
    assert found(market, words="zzz") == 0
    again = brought_in(market, QUESTIONS, "asha", "vikram")
    assert (again.taken, again.known) == (0, 500)
    assert len(market.rows("SELECT id FROM trail WHERE verb = 'office.ticket_imports."
                           "import_tickets'")) == 2  # fmt: skip


def test_a_row_names_its_customer_and_bad_rows_are_told_by_line(
    market: Market, tmp_path: Path
) -> None:
    file, nila = tmp_path / "old.csv", number(market, "nila")
    file.write_text(
        "customer,category,text\n"
        f'{nila},charges,"A fee,\ntwice"\n'
        f"{nila},gossip,{'A long story of many words. ' * 9}\n"
        "99,cash,Mine?\n"
        f"{nila},cash,   \n"
        f"{nila},charges,Twice the same\n"
        f"{nila},charges,Twice the same\n",
        encoding="utf-8",
    )
    done = brought_in(market, file)
    assert done.taken == 4
    assert [line.partition(":")[0] for line in done.refused] == ["line 5", "line 6"]
    assert "No customer has the number 99" in done.refused[0]
    rows = market.rows("SELECT category, subject, branch_id FROM tickets ORDER BY id")
    assert [row["category"] for row in rows] == ["charges", "other", "charges", "charges"]
    assert rows[0]["subject"] == "A fee,"
    assert rows[1]["subject"].endswith("words. A ...")
    assert len(rows[1]["subject"]) <= 120
    assert {row["branch_id"] for row in rows} == {market.branch_ids[FORT]} != {BANER}
    assert found(market, words="gossip nila") == 1
    assert queues.acts(market, 1) == ["opened"]
    assert brought_in(market, file).known == 4


def test_files_that_cannot_be_read(sqlite_market: Market, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    with pytest.raises(BadInput, match=r"old\.csv cannot be read"):
        brought_in(sqlite_market, file, "asha")
    file.write_bytes(b"text,category\n\xff\xfe,cash\n")
    with pytest.raises(BadInput, match=r"old\.csv cannot be read"):
        brought_in(sqlite_market, file, "asha")
    file.write_text("words,category\nHello,cash\n")
    with pytest.raises(WrongColumns):
        brought_in(sqlite_market, file, "asha")
    file.write_text("text,category\nHello,cash\n")
    with pytest.raises(NoCustomers):
        brought_in(sqlite_market, file)
    for who in ("executive", "admin", "asha"):
        with pytest.raises(NotAllowed):
            ticket_imports.import_tickets(sqlite_market.desks[who], file)
    assert sqlite_market.rows("SELECT id FROM tickets") == []


def test_the_command_line_says_what_became_of_it(tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_text("text,category\nHello,cash\n")
    env = {"BANK_DATA_DIR": str(tmp_path / "data")}
    none = run_bank("tickets", "import", str(file), env=env)
    assert none.returncode == 1
    assert "Refused (customer): Name the customers by number" in none.stderr
    strange = run_bank("tickets", "import", str(file), "--customer", "99", env=env)
    assert strange.returncode == 0, strange.stderr
    assert "0 tickets opened, 0 were here already, 1 rows not taken." in strange.stdout
    assert "line 2: No customer has the number 99." in strange.stderr
