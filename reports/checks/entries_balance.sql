/* ---
title: Entries balance
sentence: Every entry adds up to zero at each branch and in each currency.
next: A line was changed outside the bank. Compare the entry with the last backup and with its seal.
--- */
SELECT entry_id, branch_id, currency, SUM(amount_minor) AS difference_minor
FROM postings
GROUP BY entry_id, branch_id, currency
HAVING SUM(amount_minor) <> 0
