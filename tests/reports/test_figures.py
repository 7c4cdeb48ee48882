"""Every figure is right, and equals the sum of the journal lines it drills to."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bank.core.desk import Bank, looking
from bank.core.errors import BadInput, NotAllowed, NotFound
from bank.core.permissions import Role
from bank.night import analytics, report_files, reports
from tests.reports import town as towns
from tests.reports.town import TODAY, Town

pytestmark = pytest.mark.feature("A8.7", "B7")

CONTROL = ("2000", "2010", "2020")
Key = tuple[Any, ...]


def raw_lines(town: Town) -> list[Any]:
    """Every posting as the bank's own database has it, with its GL code and product."""
    with looking(town.system) as tx:
        rows = tx.connection.execute(
            text(
                "SELECT p.branch_id, p.currency, g.code, pr.code AS product, p.amount_minor,"
                " CAST(p.booking_date AS VARCHAR(10)) AS day FROM postings p"
                " JOIN gl_accounts g ON g.id = p.gl_account_id"
                " LEFT JOIN accounts a ON a.id = p.account_id"
                " LEFT JOIN products pr ON pr.id = a.product_id"
            )
        )
        return list(rows)


def expected(town: Town, day: date) -> dict[Key, int]:
    """The figures of branch money, added up line by line."""
    figures: dict[Key, int] = defaultdict(int)
    for line in raw_lines(town):
        place = (line.branch_id, line.currency)
        if line.day > day.isoformat():
            continue
        if line.code == towns.CASH:
            figures[(*place, "cash", None)] += line.amount_minor
        elif line.code == towns.LOANS:
            figures[(*place, "loans", None)] += line.amount_minor
        elif line.code in CONTROL:
            figures[(*place, "deposits", line.product)] += line.amount_minor
            if line.day == day.isoformat():
                side = "in" if line.amount_minor > 0 else "out"
                figures[(*place, side, None)] += line.amount_minor
    return dict(figures)


def found(report: reports.Report) -> dict[Key, int]:
    return {
        (row["branch"], row["currency"], row["figure"], row["product"]): row["amount_minor"]
        for row in report.rows
        if row["amount_minor"]
    }


@pytest.mark.parametrize("back", [0, 1, 50, 400])
def test_branch_money_is_the_book_added_up(still_town: Town, back: int) -> None:
    day = TODAY - timedelta(days=back)
    report = reports.run(still_town.desk(Role.AUDITOR), "branch_money", {"day": day})
    assert found(report) == {key: sum_ for key, sum_ in expected(still_town, day).items() if sum_}


def test_both_databases_give_the_same_figures(town: Town) -> None:
    report = reports.run(town.desk(Role.AUDITOR), "branch_money")
    assert found(report) == {key: sum_ for key, sum_ in expected(town, TODAY).items() if sum_}
    assert {row["currency"] for row in report.rows} == {"INR", "CZK"}
    assert report.params["day"] == TODAY


DRILLED = sorted(name for name, file in report_files.catalogue().items() if file.header.drill)


@pytest.mark.parametrize("name", DRILLED)
@pytest.mark.parametrize("branch", [None, 0, 1])
@pytest.mark.parametrize("back", [0, 37])
def test_each_figure_is_the_sum_of_the_lines_behind_it(
    still_town: Town, name: str, branch: int | None, back: int
) -> None:
    desk = still_town.desk(Role.AUDITOR)
    chosen = None if branch is None else still_town.branches[branch]
    report = reports.run(desk, name, {"branch": chosen, "day": TODAY - timedelta(days=back)})
    assert report.rows
    for row in report.rows:
        lines = reports.drill(desk, name, row, report.params)
        assert not lines.truncated
        assert sum(line["amount_minor"] for line in lines.rows) == row["amount_minor"], row
        assert {line["currency"] for line in lines.rows} <= {row["currency"]}
        assert all(line["booking_date"] <= report.params["day"] for line in lines.rows)


def test_the_same_holds_for_a_branch_admin_on_each_database(town: Town) -> None:
    desk = town.desk(Role.BRANCH_ADMIN, 1)
    for name in DRILLED:
        report = reports.run(desk, name)
        for row in report.rows:
            lines = reports.drill(desk, name, row, report.params)
            assert sum(line["amount_minor"] for line in lines.rows) == row["amount_minor"], row


@pytest.mark.parametrize("back", [0, 20, 400])
def test_cash_by_month_is_the_days_added_up(still_town: Town, back: int) -> None:
    """The year ends on the day asked for, so its first and its last month are in part."""
    desk = still_town.desk(Role.AUDITOR)
    asked = {"day": TODAY - timedelta(days=back)}
    months: dict[Key, int] = defaultdict(int)
    for row in reports.run(desk, "branch_trend", asked).rows:
        if row["figure"] != "deposits":
            month = (row["currency"], row["figure"], row["day"].replace(day=1))
            months[month] += row["amount_minor"]
    rows = reports.run(desk, "cash_by_month", asked).rows
    assert bool(rows) is (back < 100)
    assert {
        (row["currency"], row["figure"], row["start"].replace(day=1)): row["amount_minor"]
        for row in rows
    } == dict(months)
    assert all(row["start"] <= row["day"] <= asked["day"] for row in rows)
    assert all((row["amount_minor"] < 0) is (row["figure"] == "cash_in") for row in rows)


def test_older_lines_can_be_one_line_brought_forward(still_town: Town) -> None:
    desk = still_town.desk(Role.AUDITOR)
    asked = {"currency": "INR", "figure": "deposits", "since": TODAY - timedelta(days=30)}
    some = reports.run(desk, "journal_lines", asked).rows
    whole = reports.run(desk, "journal_lines", {**asked, "since": None}).rows
    assert some[0]["narration"] == "Brought forward"
    assert some[0]["entry_id"] is None
    assert 1 < len(some) < len(whole)
    assert sum(row["amount_minor"] for row in some) == sum(row["amount_minor"] for row in whole)
    assert all(row["booking_date"] >= asked["since"] for row in some)


def test_a_line_says_where_it_stands(still_town: Town) -> None:
    desk = still_town.desk(Role.AUDITOR)
    lines = reports.run(desk, "journal_lines", {"currency": "INR", "figure": "loans"}).rows
    assert [line["ledger_account"] for line in lines] == ["1200 Loans outstanding"]
    assert lines[0]["branch_name"] == "Town 1"
    assert lines[0]["account"] is None
    deposits = reports.run(desk, "journal_lines", {"currency": "CZK", "figure": "deposits"}).rows
    assert all(len(line["account"]) == len("•••• 1234") for line in deposits)


def test_what_nobody_knows_as_a_figure_is_refused(still_town: Town) -> None:
    desk = still_town.desk(Role.AUDITOR)
    with pytest.raises(BadInput, match="Choose one of deposits, cash") as refused:
        reports.run(desk, "journal_lines", {"currency": "INR", "figure": "gold"})
    assert refused.value.field == "figure"


def test_every_drilled_figure_is_one_that_the_lines_know(still_town: Town) -> None:
    options = report_files.catalogue()["journal_lines"].header.params["figure"].options
    assert options is not None
    found = set()
    for name in DRILLED:
        found |= set(reports.run(still_town.desk(Role.AUDITOR), name).values("figure"))
    assert found == set(options)


@pytest.mark.feature("B14")
@pytest.mark.parametrize("branch", [None, 0, 1, 2])
@pytest.mark.parametrize("back", [0, 50])
def test_a_trial_balance_balances(still_town: Town, branch: int | None, back: int) -> None:
    chosen = None if branch is None else still_town.branches[branch]
    asked = {"branch": chosen, "day": TODAY - timedelta(days=back)}
    rows = reports.run(still_town.desk(Role.AUDITOR), "trial_balance", asked).rows
    for currency in {row["currency"] for row in rows}:
        own = [row for row in rows if row["currency"] == currency]
        assert sum(row["debit_minor"] for row in own) == sum(row["credit_minor"] for row in own)
        assert all(min(row["debit_minor"], row["credit_minor"]) == 0 for row in own)
        assert sum(row["debit_minor"] for row in own) > 0


@pytest.mark.feature("B14")
def test_inter_branch_accounts_net_to_zero_over_the_bank(town: Town) -> None:
    desk = town.desk(Role.AUDITOR)

    def inter_branch(branch: int | None) -> int:
        rows = reports.run(desk, "trial_balance", {"branch": branch}).rows
        return sum(row["amount_minor"] for row in rows if row["gl"] == "1900")

    each = [inter_branch(branch) for branch in town.branches]
    assert any(each)
    assert sum(each) == 0
    assert inter_branch(None) == 0


def test_the_trend_ends_where_branch_money_stands(still_town: Town) -> None:
    desk = still_town.desk(Role.AUDITOR)
    trend = reports.run(desk, "branch_trend").rows
    money = reports.run(desk, "branch_money").rows
    for currency in ("INR", "CZK"):
        deposits = [
            row for row in trend if row["currency"] == currency and row["figure"] == "deposits"
        ]
        days = [row["day"] for row in deposits]
        assert days == sorted(days, reverse=True)
        assert deposits[0]["amount_minor"] == sum(
            row["amount_minor"]
            for row in money
            if row["currency"] == currency and row["figure"] == "deposits"
        )


def test_a_deposit_is_in_the_figures_once_they_may_no_longer_be_older(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a page asks: on figures of any age that is allowed without a word.

    The seconds pass by hand, and stand still while the bank is read; how long a page really takes
    is measured by the benchmark page.live.
    """
    seconds = [1_000.0]
    monkeypatch.setattr(analytics, "monotonic", lambda: seconds[0])
    desk = town.desk(Role.BRANCH_ADMIN)

    def figures() -> tuple[float, int, int]:
        report = reports.run(desk, "branch_money")
        cash, came_in = (report.where("figure", name) for name in ("cash", "in"))
        return report.age_seconds, cash.total("amount_minor"), came_in.total("amount_minor")

    age, cash, came_in = figures()
    assert age == 0
    town.deposit("asha", 1_234_56)
    seconds[0] += analytics.MOST_AGE_SECONDS
    assert figures() == (analytics.MOST_AGE_SECONDS, cash, came_in)
    seconds[0] += 0.01
    assert figures() == (0, cash - 1_234_56, came_in + 1_234_56)
    assert reports.run(desk, "branch_money").as_of == town.bank.clock.now()


# What a report refuses.


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"day": "16 March"}, "day"),
        ({"day": 20260316}, "day"),
        ({"day": True}, "day"),
        ({"branch": "1"}, "branch"),
        ({"branch": True}, "branch"),
        ({"branch": 2**70}, "branch"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_parameter_names_its_field(
    still_town: Town, params: dict[str, object], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        reports.run(still_town.desk(Role.AUDITOR), "branch_money", params)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"figure": "cash"}, "currency"),
        ({"figure": "cash", "currency": 1}, "currency"),
        ({"figure": "x" * 101, "currency": "INR"}, "figure"),
    ],
)
def test_a_missing_or_long_text_names_its_field(
    still_town: Town, params: dict[str, object], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        reports.run(still_town.desk(Role.AUDITOR), "journal_lines", params)
    assert refused.value.field == field


def test_a_parameter_is_bound_and_not_pasted(still_town: Town) -> None:
    asked = {"currency": "INR' OR '1' = '1", "figure": "cash"}
    assert not reports.run(still_town.desk(Role.AUDITOR), "journal_lines", asked).rows


def test_a_date_may_be_text(still_town: Town) -> None:
    report = reports.run(still_town.desk(Role.AUDITOR), "branch_money", {"day": "2026-01-31"})
    assert report.params["day"] == date(2026, 1, 31)


def test_what_is_not_there_is_refused(still_town: Town) -> None:
    desk = still_town.desk(Role.AUDITOR)
    with pytest.raises(reports.NoSuchReport):
        reports.run(desk, "secret_money")
    with pytest.raises(reports.NoSuchReport):
        reports.drill(desk, "secret_money", {})
    with pytest.raises(reports.NothingBehind):
        reports.drill(desk, "journal_lines", {})
    with pytest.raises(reports.NoSuchBranch):
        reports.run(desk, "branch_money", {"branch": 99})


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.CASHIER, Role.GUEST, Role.EXECUTIVE])
def test_who_has_no_reports_is_refused(still_town: Town, role: Role) -> None:
    for verb in (lambda d: reports.run(d, "branch_money"), reports.reports_for):
        with pytest.raises(NotAllowed):
            verb(still_town.desk(role))


def test_a_report_has_a_permission_of_its_own(
    still_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may run reports may not for that run this one."""
    admin = still_town.desk(Role.BRANCH_ADMIN)
    file = report_files.catalogue()["branch_money"]
    kept = file.header.model_copy(update={"permission": "integrity:view"})
    other = type(file)(**{**vars(file), "header": kept})
    monkeypatch.setattr(reports, "catalogue", lambda: {"branch_money": other})
    with pytest.raises(NotAllowed):
        reports.run(admin, "branch_money")
    assert reports.reports_for(admin) == []
    assert reports.reports_for(still_town.desk(Role.AUDITOR))


def test_the_list_names_what_a_desk_may_run(still_town: Town) -> None:
    cards = reports.reports_for(still_town.desk(Role.BRANCH_ADMIN))
    assert [card.title for card in cards] == sorted(card.title for card in cards)
    assert {"branch_money", "trial_balance"} <= {card.name for card in cards}


def test_an_empty_bank_has_empty_reports(bank: Bank) -> None:
    town = towns.build(bank)
    for name in DRILLED:
        assert reports.run(town.desk(Role.AUDITOR), name).rows == []


def test_too_many_rows_are_cut_and_said(still_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST_ROWS", 5)
    report = reports.run(still_town.desk(Role.AUDITOR), "trial_balance")
    assert report.truncated
    assert len(report.rows) == 5


def test_not_found_does_not_tell_whether_a_branch_exists(still_town: Town) -> None:
    admin = still_town.desk(Role.BRANCH_ADMIN, 0)
    told = set()
    for branch in (still_town.branches[1], 99):
        with pytest.raises(NotFound) as refused:
            reports.run(admin, "branch_money", {"branch": branch})
        told.add(str(refused.value))
    assert len(told) == 1
