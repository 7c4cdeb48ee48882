/* ---
title: Entries name what exists
sentence: Every entry names a branch, a user and a currency that exist, and so does every line.
next: The entry was written outside the bank's own verbs. Find out by whom, and reverse it.
--- */
SELECT e.id AS entry_id, e.branch_id, e.actor_id, p.leg, p.currency
FROM entries e
JOIN postings p ON p.entry_id = e.id
LEFT JOIN branches b ON b.id = e.branch_id
LEFT JOIN branches o ON o.id = p.branch_id
LEFT JOIN users u ON u.id = e.actor_id
WHERE b.id IS NULL OR o.id IS NULL OR u.id IS NULL
   OR p.currency <> UPPER(p.currency) OR LENGTH(p.currency) <> 3
