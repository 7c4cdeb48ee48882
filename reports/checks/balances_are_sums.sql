/* ---
title: Balances are the sum of their lines
sentence: The booked balance of every account is the sum of the lines on it.
next: The balance was edited outside the bank. The lines are the truth; correct the balance to their sum.
--- */
SELECT b.account_id, b.booked_minor, COALESCE(s.total_minor, 0) AS lines_minor
FROM balances b
LEFT JOIN (
    SELECT account_id, SUM(amount_minor) AS total_minor
    FROM postings
    WHERE account_id IS NOT NULL
    GROUP BY account_id
) s ON s.account_id = b.account_id
WHERE b.booked_minor <> COALESCE(s.total_minor, 0)
