/* ---
title: Accounts and balances belong together
sentence: Every account has its card in the book, with the same branch and currency, and every card its account.
next: A row was removed or changed outside the bank. Restore it from the last backup.
--- */
SELECT a.id AS account_id, a.branch_id, a.currency
FROM accounts a
LEFT JOIN balances b ON b.account_id = a.id
WHERE b.account_id IS NULL OR b.branch_id <> a.branch_id OR b.currency <> a.currency
UNION ALL
SELECT b.account_id, b.branch_id, b.currency
FROM balances b
LEFT JOIN accounts a ON a.id = b.account_id
WHERE a.id IS NULL
