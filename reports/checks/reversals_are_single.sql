/* ---
title: Nothing is reversed twice
sentence: An entry has at most one reversal.
next: Reverse nothing more here. Find out which of the reversals was not booked by the bank.
--- */
SELECT reverses_id AS entry_id, COUNT(*) AS reversals
FROM entries
WHERE reverses_id IS NOT NULL
GROUP BY reverses_id
HAVING COUNT(*) > 1
