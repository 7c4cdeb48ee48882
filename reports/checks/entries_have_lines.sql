/* ---
title: Entries have lines
sentence: Every entry has at least two lines.
next: Lines were removed outside the bank. Restore them from the last backup.
--- */
SELECT e.id AS entry_id, COUNT(p.entry_id) AS line_count
FROM entries e
LEFT JOIN postings p ON p.entry_id = e.id
GROUP BY e.id
HAVING COUNT(p.entry_id) < 2
