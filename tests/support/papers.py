"""A long paper, for the test that reads it and the benchmark that times it."""

from typing import Final

from bank.accounts.papers import Letterhead, Paper, PaperColumn

LINES: Final = 500


def five_hundred_lines() -> bytes:
    """A statement of 500 lines as PDF."""
    paper = Paper(
        Letterhead(branch="Fort", ifsc="BANK0000001", address="1 Fort Road"),
        title="Statement of account",
        note="Verify code",
    )
    paper.table(
        [
            PaperColumn(title="Date", share=1),
            PaperColumn(title="Details", share=4),
            PaperColumn(title="Balance", share=2, right=True),
        ],
        [
            ("16 Mar 2026", f"Transfer {n} to Vikram Shah •••• 1234: rent of March", "1.00 Cr")
            for n in range(LINES)
        ],
    )
    return paper.finish()
