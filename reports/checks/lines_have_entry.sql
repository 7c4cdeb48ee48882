/* ---
title: Lines have their entry
sentence: Every line belongs to an entry and carries its booking and value date.
next: An entry was removed or a line was changed outside the bank. Restore it from the last backup.
--- */
SELECT p.entry_id, p.leg, p.booking_date, p.value_date
FROM postings p
LEFT JOIN entries e ON e.id = p.entry_id
WHERE e.id IS NULL OR p.booking_date <> e.booking_date OR p.value_date <> e.value_date
