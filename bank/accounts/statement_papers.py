"""Statements to take away: CSV that is safe in a spreadsheet, and PDF with a verify code."""

import csv
import io

from bank.accounts import papers
from bank.accounts.papers import Letterhead, Paper, PaperColumn
from bank.accounts.statement_lines import Statement
from bank.core import money
from bank.core.cells import safe_cell
from bank.core.clock import day_in_words
from bank.core.desk import Tx
from bank.people import branches


def csv_of(statement: Statement) -> bytes:
    """Opening, lines with running balance, closing with totals; decimals without grouping."""
    currency = statement.account.currency
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["Date", "Value date", "Reference", "Details", "Debit", "Credit", "Balance", "Currency"]
    )

    def bare(amount_minor: int | None) -> str:
        return "" if amount_minor is None else str(money.to_decimal(amount_minor, currency))

    opening = bare(statement.opening_minor)
    writer.writerow([statement.start, "", "", "Opening balance", "", "", opening, currency])
    for line in statement.lines:
        writer.writerow(
            [
                line.booking_date,
                line.value_date,
                line.reference,
                safe_cell(line.details),
                bare(line.debit_minor),
                bare(line.credit_minor),
                bare(line.balance_minor),
                currency,
            ]
        )
    writer.writerow(
        [
            statement.end,
            "",
            "",
            "Closing balance",
            bare(-statement.debit_minor),
            bare(statement.credit_minor),
            bare(statement.closing_minor),
            currency,
        ]
    )
    return out.getvalue().encode("utf-8-sig")  # the mark tells spreadsheets that it is UTF-8


def pdf_of(tx: Tx, statement: Statement) -> bytes:
    """The statement on paper: letterhead of the account's branch, lines, totals, verify code."""
    card, currency = statement.account, statement.account.currency
    branch = branches.branch_by_id(tx, card.branch_id)
    period = f"{day_in_words(statement.start)} to {day_in_words(statement.end)}"
    paper = Paper(
        Letterhead(branch=branch.name, ifsc=branch.ifsc, address=branch.address),
        title="Statement of account",
        note=f"Verify code {verify_code(tx, statement)}. "
        f"Printed on {day_in_words(tx.business_date)}. "
        "Please tell your branch within fifteen days if a line is not right.",
    )
    paper.facts(
        [
            ("Holder", card.holder),
            ("Customer number", card.customer_number),
            ("Account", f"{card.number}, {card.product_name}, {currency}"),
            ("Period", period),
        ]
    )

    def figures(amount_minor: int | None) -> str:
        return "" if amount_minor is None else money.digits(amount_minor, currency)

    def balance(amount_minor: int) -> str:
        return f"{money.digits(amount_minor, currency)} {'Dr' if amount_minor < 0 else 'Cr'}"

    paper.table(
        [
            PaperColumn(title="Date", share=1.4),
            PaperColumn(title="Details", share=4.4),
            PaperColumn(title="Reference", share=1.55),
            PaperColumn(title="Debit", share=1.4, right=True),
            PaperColumn(title="Credit", share=1.4, right=True),
            PaperColumn(title="Balance", share=1.85, right=True),
        ],
        [
            (
                day_in_words(statement.start),
                "Opening balance",
                "",
                "",
                "",
                balance(statement.opening_minor),
            ),
            *(
                (
                    day_in_words(line.booking_date),
                    line.details,
                    line.reference,
                    figures(line.debit_minor),
                    figures(line.credit_minor),
                    balance(line.balance_minor),
                )
                for line in statement.lines
            ),
        ],
        total=(
            day_in_words(statement.end),
            f"Totals of {statement.count:,} lines, closing balance",
            "",
            figures(statement.debit_minor),
            figures(statement.credit_minor),
            balance(statement.closing_minor),
        ),
    )
    if not statement.lines:
        paper.text("Nothing was booked on this account in this period.")
    return paper.finish()


def verify_code(tx: Tx, statement: Statement) -> str:
    """The code that only the bank can make for exactly these figures."""
    said = [
        statement.account.number,
        statement.start.isoformat(),
        statement.end.isoformat(),
        *map(str, (statement.opening_minor, statement.closing_minor, statement.count)),
        *(f"{line.entry_id}:{line.amount_minor}" for line in statement.lines),
    ]
    return papers.in_groups(tx.bank.keyring.sign("statement", "|".join(said)))
