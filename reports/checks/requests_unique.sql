/* ---
title: Requests are booked once
sentence: No two entries carry the same request id.
next: One click was booked twice. Reverse the later entry after asking the customer.
--- */
SELECT request_id, COUNT(*) AS entries_booked, MIN(id) AS first_entry, MAX(id) AS last_entry
FROM entries
GROUP BY request_id
HAVING COUNT(*) > 1
