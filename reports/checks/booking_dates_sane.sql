/* ---
title: Booking dates make sense
sentence: Nothing is booked later than the bank's business date, or before the year 1900.
next: Find out who or which import booked this entry, and reverse it.
--- */
SELECT id AS entry_id, booking_date, value_date, channel
FROM entries
WHERE CAST(booking_date AS VARCHAR(10)) > $today OR CAST(booking_date AS VARCHAR(10)) < '1900-01-01'
