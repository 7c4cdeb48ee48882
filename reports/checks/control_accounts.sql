/* ---
title: Control accounts are the sum of customers' accounts
sentence: At each branch and in each currency, a control account of the chart equals the accounts under it.
next: A line stands on another ledger account or branch than its customer's account. Compare with the last backup.
--- */
SELECT gl_account_id, branch_id, currency, SUM(amount_minor) AS difference_minor
FROM (
    SELECT p.gl_account_id, p.branch_id, p.currency, p.amount_minor
    FROM postings p
    JOIN gl_accounts g ON g.id = p.gl_account_id
    WHERE g.is_control
    UNION ALL
    SELECT b.gl_account_id, b.branch_id, b.currency, -p.amount_minor
    FROM postings p
    JOIN balances b ON b.account_id = p.account_id
) both_sides
GROUP BY gl_account_id, branch_id, currency
HAVING SUM(amount_minor) <> 0
