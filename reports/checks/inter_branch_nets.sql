/* ---
title: Inter-branch accounts net to zero
sentence: What the branches owe each other cancels out over the bank, entry by entry.
next: A line was moved to or from the inter-branch account outside the bank. Start with the entry named here.
--- */
SELECT p.entry_id, p.currency, SUM(p.amount_minor) AS difference_minor
FROM postings p
JOIN gl_accounts g ON g.id = p.gl_account_id
WHERE g.code = '1900'
GROUP BY p.entry_id, p.currency
HAVING SUM(p.amount_minor) <> 0
