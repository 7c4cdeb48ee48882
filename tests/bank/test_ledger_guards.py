"""What the database itself refuses of an entry: each is right but for one thing."""

from typing import Any, Final

import pytest

from bank.book import chart, ledger
from bank.core.desk import Bank, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from tests.support.bank import desk
from tests.support.hostile import LINE, NOW, POSTER, Hostile, Row, is_whole, refused, values


@pytest.mark.feature("B1")
def test_the_entry_that_all_others_here_are_made_of_is_good(hostile: Hostile) -> None:
    hostile.book(hostile.entry(), hostile.gl_line(-5), hostile.account_line(1, 5))
    hostile.book(hostile.entry(), hostile.account_line(1, -5), hostile.account_line(2, 5))
    assert hostile.ask("SELECT booked_minor FROM balances WHERE account_id IN (1, 2)") == [
        (500,),
        (205,),
    ]
    is_whole(hostile)


BROKEN_LINES: Final = {
    "not zero": ("does not balance", {}, {"amount_minor": 6, "balance_minor": 506}),
    "another branch": ("does not balance|running", {"branch_id": 2}, {}),
    "another currency": ("does not balance", {"currency": "CZK"}, {}),
    "control account": ("no control account", {"code": chart.SAVINGS}, {}),
    "no such ledger": ("no control account", {"gl_account_id": 999}, {}),
    "account at another branch": ("does not balance|does not fit", {}, {"branch_id": 2}),
    "account under another control": ("does not fit", {}, {"gl": chart.CURRENT}),
    "account under no control": ("does not fit", {}, {"gl": "2900"}),
    "no such account": ("no such account|does not fit", {}, {"account_id": 4711}),
    "line missing before": ("running balance|last line", {}, {"line_no": 9}),
    "line again": ("running balance|last line|line_no", {}, {"line_no": 1}),
    "another running balance": ("running balance|last line", {}, {"balance_minor": 900}),
    "no running balance": ("running balance|account_line_complete", {}, {"balance_minor": None}),
    "running balance of cash": (
        "no control account|account_line_complete", {"line_no": 1, "balance_minor": 5}, {},
    ),
    "leg twice": ("closed|UNIQUE|duplicate|two lines", {"leg": 2}, {"leg": 2}),
    "gap in legs": ("closed|two lines", {}, {"leg": 3}),
}  # fmt: skip


@pytest.mark.feature("B1", "A3.9")
def test_a_wrong_line_is_refused(hostile: Hostile) -> None:
    for message, of_cash, of_account in BROKEN_LINES.values():
        cash, wrong = dict(of_cash), dict(of_account)
        if "gl" in wrong:
            wrong["gl_account_id"] = hostile.gl(wrong.pop("gl"))
        first = hostile.gl_line(-5, cash.pop("code", chart.CASH), **cash)
        statements = hostile.statements(hostile.entry(), first, hostile.account_line(1, 5) | wrong)
        refused(hostile, message, *statements)
    is_whole(hostile)


@pytest.mark.feature("B1")
def test_amounts_are_whole_and_not_nothing(hostile: Hostile) -> None:
    head = hostile.entry()
    lines = [hostile.gl_line(0), hostile.gl_line(0)]
    refused(hostile, "whole amount|amount_not_zero", *hostile.statements(head, *lines))
    if hostile.lite:  # columns there take what they are given
        halves = [hostile.gl_line(-0.5), hostile.gl_line(0.5)]
        refused(hostile, "whole amount", *hostile.statements(head, *halves))
        words = [hostile.gl_line(0, amount_minor="all"), hostile.gl_line(0, amount_minor="none")]
        refused(hostile, "whole amount", *hostile.statements(head, *words))


@pytest.mark.feature("B1")
def test_a_currency_is_three_capital_letters(hostile: Hostile) -> None:
    for wrong in ("inr", "IN", "I1R", ""):
        lines = [
            hostile.gl_line(-5, currency=wrong),
            hostile.gl_line(5, chart.FEE_INCOME, currency=wrong),
        ]
        message = "three capital letters|currency_capitals"
        refused(hostile, message, *hostile.statements(hostile.entry(), *lines))
        refused(
            hostile,
            message,
            "INSERT INTO balances (gl_account_id, branch_id, currency, booked_minor, held_minor,"
            f" overdraft_limit_minor, lines) SELECT gl_account_id, 1, '{wrong}', 0, 0, 0, 0"
            " FROM balances WHERE account_id = 1",
        )


@pytest.mark.feature("B1")
def test_branches_owe_each_other_what_they_say(hostile: Hostile) -> None:
    good = [
        hostile.gl_line(-5),
        hostile.gl_line(5, chart.INTER_BRANCH),
        hostile.gl_line(-5, chart.INTER_BRANCH, branch_id=2),
        hostile.account_line(3, 5),
    ]
    hostile.book(hostile.entry(), *good)
    one_sided = [hostile.gl_line(-5), hostile.gl_line(5, chart.INTER_BRANCH)]
    refused(hostile, "does not balance", *hostile.statements(hostile.entry(), *one_sided))
    crossed = [
        hostile.account_line(1, -5),
        hostile.gl_line(5, chart.INTER_BRANCH),
        hostile.gl_line(-5, chart.INTER_BRANCH, currency="CZK"),
        hostile.account_line(4, 5),
    ]
    refused(hostile, "does not balance", *hostile.statements(hostile.entry(), *crossed))


@pytest.mark.feature("B1")
def test_an_entry_has_lines_and_lines_have_an_entry(hostile: Hostile) -> None:
    lines = [hostile.gl_line(-5), hostile.account_line(1, 5)]
    refused(hostile, "two lines", *hostile.statements(hostile.entry()))
    refused(hostile, "two lines|not balance", *hostile.statements(hostile.entry(), lines[0]))
    number = hostile.next_entry()
    for leg, line in enumerate(lines, 1):
        row = line | {"entry_id": number, "leg": leg}
        plain = f"INSERT INTO postings ({', '.join(LINE)}) VALUES ({values(LINE, row)})"
        refused(hostile, "closed|with their entry|not balance", plain)
    both = ", ".join(
        f"({values(LINE, line | {'entry_id': number, 'leg': leg})})"
        for leg, line in enumerate(lines, 1)
    )
    refused(
        hostile,
        "closed|with their entry",
        f"INSERT INTO postings ({', '.join(LINE)}) VALUES {both}",
    )


@pytest.mark.feature("B1", "A9.4")
def test_nothing_joins_an_entry_that_stands(hostile: Hostile) -> None:
    more = [
        hostile.gl_line(-5, entry_id=1, leg=3),
        hostile.account_line(1, 5, entry_id=1, leg=4),
    ]
    rows = ", ".join(f"({values(LINE, row)})" for row in more)
    plain = f"INSERT INTO postings ({', '.join(LINE)}) VALUES {rows}"
    refused(hostile, "closed|with their entry", plain)
    if hostile.lite:
        draft = more[0] | {"id": 65536 + 3}
        columns = ("id", *LINE)
        onto = f"INSERT INTO draft_lines ({', '.join(columns)}) VALUES ({values(columns, draft)})"
        refused(hostile, "closed", onto)
        refused(hostile, "closed", onto.replace("INSERT", "INSERT OR REPLACE"))
        early = onto.replace(f"{65536 + 3}, 1,", f"{65536 + 3}, 99,")
        refused(hostile, "place and a whole amount", early)
        hostile.do(onto.replace(f"{65536 + 3}, 1,", f"{99 * 65536 + 3}, 99,"))
        refused(hostile, "draft is not changed", "UPDATE draft_lines SET entry_id = 1, id = 65539")
        hostile.do("DELETE FROM draft_lines")
        is_whole(hostile)
    else:  # nor in the transaction that made it
        booked = hostile.statements(
            hostile.entry(id=77), hostile.gl_line(-5), hostile.account_line(2, 5)
        )
        for row in more:
            row["entry_id"] = 77
        rows = ", ".join(f"({values(LINE, row)})" for row in more)
        again = f"INSERT INTO postings ({', '.join(LINE)}) VALUES {rows}"
        refused(hostile, "closed", *booked, again)


@pytest.mark.feature("A2.9")
def test_what_another_program_left_on_a_draft_stays_out_of_the_entry(
    sqlite_bank: Bank, on_lite: Hostile
) -> None:
    console = on_lite
    lines = [console.gl_line(-9, "3000"), console.account_line(2, 9)]
    left = console.statements(
        console.entry(), *[line | {"leg": leg} for leg, line in enumerate(lines, 3)]
    )
    console.do(*left[:-1])
    with chunk(desk(sqlite_bank, Role.CASHIER), "tests.post") as tx:
        legs = (ledger.debit_gl(chart.CASH, 700), ledger.credit_account(1, 700))
        ledger.post(tx, ledger.Draft(new_request_id(), "cash_deposit", "cash", legs, 1))
    counts = console.ask("SELECT COUNT(*), MAX(leg) FROM postings WHERE entry_id = 3")
    assert counts == [(2, 2)]
    is_whole(console)


@pytest.mark.feature("A2.9", "B8")
def test_the_floor_holds_below_the_ledger(hostile: Hostile) -> None:
    def taken(amount: int, **facts: Any) -> list[str]:
        lines = [hostile.account_line(1, -amount), hostile.account_line(2, amount)]
        return hostile.statements(hostile.entry(**facts), *lines)

    refused(hostile, "insufficient funds", *taken(401))  # 500 booked, 100 held
    refused(hostile, "insufficient funds", *taken(401, channel="import"))
    waiver = (
        "INSERT INTO floor_waivers (account_id, batch_id, channel, source, granted_at, granted_by)"
        f" VALUES (1, 1, 'import', 'by hand', '{NOW}', 7)"
    )
    close = f"UPDATE floor_waivers SET closed_at = '{NOW}', lowest_minor = -301"
    refused(hostile, "insufficient funds", waiver, *taken(401), close)
    for lie in ("'branch'", "'Import'", "NULL"):
        refused(hostile, "waiver|NULL|null", waiver.replace("'import'", lie))
    refused(hostile, "waiver|foreign key", waiver.replace("(1, ", "(4711, ", 1))
    if not hostile.lite:  # SQLite checks nothing at commit; there the channel must do
        refused(hostile, "ends with the transaction", waiver)
    hostile.do(waiver, *taken(801, channel="import"), close)
    refused(hostile, "insufficient funds", *taken(1, channel="import"))
    for change in (
        "closed_at = NULL",
        "source = 'else'",
        "account_id = 2",
        "batch_id = 2",
        f"closed_at = '{NOW}', lowest_minor = 0",
    ):
        refused(hostile, "closed once", f"UPDATE floor_waivers SET {change}")
    refused(hostile, "waiver", f"{waiver[:-1]}), (2, 1, 'card', 'x', '{NOW}', 7)")
    for other in ("2", "NULL", "'1x'"):
        later = waiver.replace("(1, 1, ", f"(1, {other}, ")
        refused(hostile, "another import|opens a waiver|invalid input", later, close)
    hostile.book(hostile.entry(), hostile.gl_line(-5), hostile.account_line(1, 5))
    is_whole(hostile)


REVERSALS: Final = {
    "no reason": ("needs a reason", {"reason": None}),
    "blank reason": ("needs a reason", {"reason": "  "}),
    "of nothing": ("an entry that is none", {"reverses_id": 4711}),
    "by the poster": ("poster may not", {"actor_id": POSTER}),
}


@pytest.mark.feature("B3")
def test_a_reversal_is_right_or_refused(hostile: Hostile) -> None:
    facts: Row = {"reverses_id": 2, "reason": "wrong account", "kind": "reversal"}

    def back(amount: int = 200) -> list[Row]:
        return [hostile.account_line(1, amount), hostile.account_line(2, -amount)]

    for message, wrong in REVERSALS.values():
        statements = hostile.statements(hostile.entry(**(facts | wrong)), *back())
        refused(hostile, message, *statements)
    for lines in (
        back(199),
        [hostile.account_line(1, 200), hostile.gl_line(-200)],
        [*back(), hostile.gl_line(1), hostile.gl_line(-1, chart.FEE_INCOME)],
    ):
        refused(hostile, "opposite", *hostile.statements(hostile.entry(**facts), *lines))
    reversal = hostile.entry(**facts)
    hostile.book(reversal, *back())
    again = hostile.statements(hostile.entry(**facts), *back())
    refused(hostile, "reversed already|reverses_id|insufficient", *again)
    of_reversal = hostile.entry(**(facts | {"reverses_id": reversal["id"], "actor_id": 8}))
    forth = [hostile.account_line(1, -200), hostile.account_line(2, 200)]
    refused(hostile, "an entry that is none", *hostile.statements(of_reversal, *forth))
    is_whole(hostile)


HEADS: Final = {
    "no actor": {"actor_id": None},
    "no branch": {"branch_id": None},
    "no channel": {"channel": None},
    "empty channel": {"channel": ""},
    "empty kind": {"kind": ""},
    "no booking date": {"booking_date": None},
    "no value date": {"value_date": None},
    "a date that is none": {"booking_date": "2026-02-30"},
    "a value date that is none": {"value_date": "some day"},
}


@pytest.mark.feature("A3.9")
def test_an_entry_says_who_where_and_when(hostile: Hostile) -> None:
    lines = [hostile.gl_line(-5), hostile.account_line(1, 5)]
    message = "NULL|null|entry names|no such|invalid input syntax|out of range"
    for wrong in HEADS.values():
        dates = {k: v for k, v in wrong.items() if k.endswith("_date")}
        head = hostile.entry(**wrong)
        refused(hostile, message, *hostile.statements(head, *[line | dates for line in lines]))


@pytest.mark.feature("A3.9", "B1")
def test_whom_and_what_an_entry_names_is_there(hostile: Hostile) -> None:
    lines = [hostile.gl_line(-5), hostile.account_line(1, 5)]
    for wrong, message in (
        ({"actor_id": 4711}, "no such user"),
        ({"actor_id": 0}, "no such user"),
        ({"branch_id": 4711}, "no such branch"),
        ({"branch_id": 0}, "no such branch"),
    ):
        refused(hostile, message, *hostile.statements(hostile.entry(**wrong), *lines))
    elsewhere = [
        hostile.account_line(1, -5),
        hostile.gl_line(5, chart.INTER_BRANCH),
        hostile.gl_line(-5, chart.INTER_BRANCH, branch_id=4711),
        hostile.gl_line(5, branch_id=4711),
    ]
    refused(hostile, "no such branch", *hostile.statements(hostile.entry(), *elsewhere))
    refused(
        hostile,
        "no such branch",
        "INSERT INTO balances (gl_account_id, branch_id, currency, booked_minor, held_minor,"
        " overdraft_limit_minor, lines) SELECT gl_account_id, 4711, 'INR', 0, 0, 0, 0"
        " FROM balances WHERE account_id = 1",
    )
    hostile.book(hostile.entry(actor_id=1, channel="system"), *lines)  # the system is a user
    is_whole(hostile)


@pytest.mark.feature("A3.9")
def test_lines_carry_the_dates_of_their_entry(hostile: Hostile) -> None:
    for column in ("booking_date", "value_date"):
        other = {column: "2026-03-15"}
        lines = [hostile.gl_line(-5, **other), hostile.account_line(1, 5, **other)]
        statements = hostile.statements(hostile.entry(), *lines)
        refused(hostile, "dates of their entry|with their entry", *statements)


@pytest.mark.feature("B2")
def test_a_request_is_booked_once(hostile: Hostile) -> None:
    [(known,)] = hostile.ask("SELECT request_id FROM entries WHERE id = 1")
    lines = [hostile.gl_line(-5), hostile.account_line(1, 5)]
    head = hostile.entry(request_id=known)
    refused(hostile, "request exists|request_id", *hostile.statements(head, *lines))
    taken = hostile.entry(id=1)
    refused(
        hostile, "closed|next number|pk_entries|pk_postings", *hostile.statements(taken, *lines)
    )


def test_nobody_chooses_where_readers_find_it(hostile: Hostile) -> None:
    lines = [hostile.gl_line(-5), hostile.account_line(1, 5)]
    *drafts, last = hostile.statements(hostile.entry(), *lines)
    if hostile.lite:
        skipped = hostile.entry(id=hostile.next_entry() + 7)
        refused(hostile, "next number", *hostile.statements(skipped, *lines))
        refused(hostile, "next number", *hostile.statements(hostile.entry(id=-3), *lines))
        refused(
            hostile,
            "entry names",
            *drafts,
            last.replace("reason) VALUES (", "reason, txid) VALUES (").replace("NULL)", "NULL, 5)"),
        )
        return
    named = last.replace("balance_minor) VALUES", "balance_minor, txid) VALUES")
    for txid in ("'3'", "NULL"):
        chosen = named.replace(", NULL, NULL), (", f", NULL, NULL, {txid}), (")
        chosen = f"{chosen[:-1]}, {txid})"
        refused(hostile, "closed", chosen)
    chosen = last.replace("reverses_id, reason) VALUES (", "reverses_id, reason, txid) VALUES (")
    hostile.do(chosen.replace("NULL, NULL)) INSERT", "NULL, NULL, '3')) INSERT"))
    assert hostile.ask("SELECT COUNT(*) FROM entries WHERE txid = '3'") == [(0,)]
