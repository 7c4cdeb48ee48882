/* ---
title: Running balances follow
sentence: The lines of an account are numbered without a gap, and each balance is the one before plus the amount.
next: A line was removed, added or changed outside the bank. Start at the first line named here.
--- */
SELECT account_id, line_no, amount_minor, balance_minor, previous_line, previous_minor
FROM (
    SELECT account_id, line_no, amount_minor, balance_minor,
           LAG(line_no, 1, 0) OVER (PARTITION BY account_id ORDER BY line_no) AS previous_line,
           LAG(balance_minor, 1, 0) OVER (PARTITION BY account_id ORDER BY line_no) AS previous_minor
    FROM postings
    WHERE account_id IS NOT NULL
) chain
WHERE line_no <> previous_line + 1 OR balance_minor <> previous_minor + amount_minor
UNION ALL
SELECT b.account_id, b.lines, NULL, b.booked_minor, MAX(p.line_no), NULL
FROM balances b
LEFT JOIN postings p ON p.account_id = b.account_id
GROUP BY b.account_id, b.lines, b.booked_minor
HAVING b.lines <> COALESCE(MAX(p.line_no), 0)
