/* ---
title: Vault and drawers are the cash in the book
sentence: At each branch and in each currency, vault and drawers together hold what the book calls cash in hand.
next: An entry or a move of cash was added, changed or removed on one side only. Start with the newest of that branch.
--- */
SELECT branch_id, currency, SUM(amount_minor) AS difference_minor
FROM (
    SELECT p.branch_id, p.currency, -p.amount_minor AS amount_minor
    FROM postings p
    JOIN gl_accounts g ON g.id = p.gl_account_id
    LEFT JOIN cash_slips s ON s.entry_id = p.entry_id AND s.drawer_id IS NOT NULL
    WHERE g.code = '1000' AND s.entry_id IS NULL
    UNION ALL
    SELECT branch_id, currency, -amount_minor
    FROM cash_moves
) both_sides
GROUP BY branch_id, currency
HAVING SUM(amount_minor) <> 0
