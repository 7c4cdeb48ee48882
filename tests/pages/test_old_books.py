"""Books of the last century, brought in by an import, can be read as of their own days."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from bank.core.desk import Bank, Desk, looking
from bank.core.permissions import Role
from bank.night import imports
from bank.people.branches import Branch
from bank.people.customers import Customer
from tests.bank.test_import_books import Books, books
from tests.support.apptest import Pages, words_of
from tests.support.bank import desk as desk_of

__all__ = ["books"]

OLD = date(1993, 12, 31)
EARLIEST = date(1900, 1, 1)


@pytest.fixture
def old_bank(sqlite_bank: Bank, books: Books) -> Bank:
    """The books of a bank of 1993 and 1994, in koruna."""
    books.accounts = ["1001,C-1,savings,CZK,1993-01-01,0"]
    books.entries = [
        "e1,1001,1993-01-05,1000.00,cash,first deposit,1000.00",
        "e2,1001,1993-07-31,-100.50,card,groceries,899.50",
        "e3,1001,1994-06-01,50.00,interest,credited,949.50",
    ]
    report = imports.import_books(desk_of(sqlite_bank, Role.SYSTEM), books.write())
    assert report.new_entries == 3
    return sqlite_bank


def admin(bank: Bank) -> Desk:
    with looking(desk_of(bank, Role.SYSTEM)) as tx:
        branch = tx.session.scalar(select(Branch.id).where(Branch.ifsc == "MERU0000001"))
    return desk_of(bank, Role.BRANCH_ADMIN, branch_id=branch)


@pytest.mark.feature("A8.7")
def test_the_dashboard_as_of_an_old_day(pages: Pages, old_bank: Bank) -> None:
    page = pages.open(admin(old_bank), "admin/dashboard.py")
    asked = page.date_input("branch_money_day")
    assert asked.min == EARLIEST
    asked.set_value(OLD).run()
    assert not page.exception
    assert "31 Dec 1993" in words_of(page)
    [deposits] = [metric.value for metric in page.metric if metric.label == "Deposits"]
    assert deposits == "CZK 899.50 Cr"


@pytest.mark.feature("A8.7")
def test_the_line_of_context_stands_right_below_the_title(pages: Pages, old_bank: Bank) -> None:
    for file in ("admin/dashboard.py", "auditor/trial_balance.py"):
        page = pages.open(admin(old_bank), file)
        drawn = [item for item in page.main if item.type in {"title", "caption", "date_input"}]
        assert [item.type for item in drawn[:2]] == ["title", "caption"], file
        assert "figures of" in page.caption[0].value, file


@pytest.mark.feature("B14")
def test_the_trial_balance_day_an_old_day(pages: Pages, old_bank: Bank) -> None:
    page = pages.open(admin(old_bank), "auditor/trial_balance.py")
    asked = page.date_input("trial_balance_day")
    assert asked.min == EARLIEST
    asked.set_value(OLD).run()
    assert not page.exception
    debit = [metric.value for metric in page.metric if metric.label == "Total debit"]
    assert debit == ["CZK 1,000.00"]


@pytest.mark.feature("A9.4")
def test_the_journal_of_an_old_year(pages: Pages, old_bank: Bank) -> None:
    page = pages.open(admin(old_bank), "auditor/journal.py")
    page.session_state["journal_search"] = True
    page.run()
    for key, day in (("journal_from", date(1994, 1, 1)), ("journal_to", date(1994, 12, 31))):
        assert page.date_input(key).min == EARLIEST
        page.date_input(key).set_value(day)
    page.run()
    assert not page.exception
    assert page.dataframe[0].value["Narration"].tolist() == ["credited"]


@pytest.mark.feature("A4.2", "A4.3")
def test_a_statement_of_an_old_year(pages: Pages, old_bank: Bank) -> None:
    with looking(desk_of(old_bank, Role.SYSTEM)) as tx:
        owner = tx.session.scalar(select(Customer.id).where(Customer.number == "C-1"))
    meera = replace(admin(old_bank), role=Role.CUSTOMER, branch_id=None, customer_id=owner)
    page = pages.open(meera, "customer/statement.py")
    page.segmented_control("statement_period").set_value("Any dates").run()
    for key in ("statement_start", "statement_end"):
        assert page.date_input(key).min == EARLIEST
    page.date_input("statement_start").set_value(date(1993, 1, 1))
    page.date_input("statement_end").set_value(OLD).run()
    assert not page.exception
    assert "1 Jan 1993 to 31 Dec 1993, 2 lines" in words_of(page)
    assert "Closing CZK 899.50 Cr" in words_of(page)
