"""A bank from before there were drawers: its cash is carried into the vaults, its slips stand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.command import upgrade

from bank import app
from bank.book import ledger
from bank.book.journal import reverse_entry
from bank.core.clock import FixedClock
from bank.core.desk import Bank, chunk, commit, looking, open_tx
from bank.core.permissions import Role
from bank.counters import drawer_cash
from bank.night import integrity
from bank.people import branches
from bank.people.identity import add_user_row
from tests.support import postgres
from tests.support.bank import DIALECTS, NOON, desk, settings_for

BEFORE = "0009_approvals"


@contextmanager
def old_bank(folder: Path, dialect: str) -> Iterator[Bank]:
    """An empty bank with the schema of before."""

    def opened(url: str) -> Bank:
        settings = settings_for(folder, url)
        db = app.Database(settings.resolved_url())
        with db.engine.connect() as connection:
            upgrade(app.alembic_config(connection=connection), BEFORE)
            connection.commit()
            connection.connection.commit()
        db.close()
        return app.open_bank(settings, clock=FixedClock(NOON), migrated=True)

    if dialect == "sqlite":
        yield opened("")
        return
    with postgres.fresh_database() as url:
        bank = opened(url)
        yield bank
        bank.db.close()


@pytest.mark.feature("B6")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_cash_of_before_lies_in_the_vault(dialect: str, tmp_path: Path) -> None:
    with old_bank(tmp_path, dialect) as bank:
        bank.db.memo["book_closed_through"] = None  # nobody closed books then: no such table yet
        with bank.db.write() as connection:
            tx = open_tx(app.system_desk(bank), connection)  # no trail: its table has grown since
            for number, rupees in ((1, 700), (2, 300), (3, 0)):
                ifsc = f"BANK000000{number}"
                branch = branches.add_branch_row(tx, ifsc=ifsc, name=f"B{number}", address="")
                for place, amount in enumerate((rupees * 100, rupees * 50)):
                    legs = (
                        ledger.debit_gl("1000", amount, branch.id),
                        ledger.credit_gl("3000", amount, branch.id),
                    )
                    draft = ledger.Draft(f"{number}-{place}", "opening", "Before", legs, branch.id)
                    if amount:
                        ledger.post(tx, draft)
            commit(tx)
        app.migrate(bank.db)
        with looking(app.system_desk(bank)) as tx:
            held = [drawer_cash.in_vault(tx, branch_id) for branch_id in (1, 2, 3)]
            assert held == [drawer_cash.in_book(tx, branch_id) for branch_id in (1, 2, 3)]
        assert held == [1_050_00, 450_00, 0]
        with chunk(app.system_desk(bank), "tests.people") as tx:
            user = add_user_row(
                tx,
                username="admin.fort",
                name="Arun Nair",
                email="admin@bank.example.com",
                role=Role.BRANCH_ADMIN,
                branch_id=1,
                password_hash="$2b$04$" + "." * 53,
            )
        admin = replace(desk(bank, Role.BRANCH_ADMIN, branch_id=1), user_id=user.id)
        reverse_entry(admin, 1, "a mistake of before", "reversal")
        with looking(app.system_desk(bank)) as tx:
            assert drawer_cash.in_vault(tx, 1) == drawer_cash.in_book(tx, 1) == 350_00
        auditor = desk(bank, Role.AUDITOR, branch_id=None)
        assert [r.line for r in integrity.run_checks(auditor) if not r.passed] == []
