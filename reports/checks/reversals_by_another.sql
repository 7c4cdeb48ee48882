/* ---
title: Nobody reverses their own entry
sentence: A reversal was booked by someone other than the poster of the entry.
next: Ask both people named here. One of them acted for the other, or the record was changed.
--- */
SELECT r.id AS entry_id, r.reverses_id, r.actor_id
FROM entries r
JOIN entries o ON o.id = r.reverses_id
WHERE r.actor_id = o.actor_id
