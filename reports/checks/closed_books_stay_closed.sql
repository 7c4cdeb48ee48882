/* ---
title: Closed books stay closed
sentence: Once the book was closed through a day, nothing was booked on that day or before it until head office opened it again.
next: Find out how this entry came into a closed month, reverse it, and tell whoever was given the month's figures. It stays on record here.
--- */
-- Since the last act: what has a higher number than any entry of that moment. Before it, each act has
-- counted by itself what had come late: later on numbers would not tell, they are drawn before they commit.
-- The days are compared in a CASE so that no index on them is walked from the first day on.
SELECT e.id AS entry_id, e.booking_date, c.closed_through, c.id AS closing_id
FROM book_closings c
JOIN entries e ON e.id > c.last_entry_id
WHERE c.id = (SELECT MAX(id) FROM book_closings)
  AND CASE WHEN e.booking_date <= c.closed_through THEN 1 ELSE 0 END = 1
UNION ALL
SELECT e.id, e.booking_date, b.closed_through, b.id
FROM book_closings c
JOIN book_closings b ON b.id = c.id - 1
JOIN entries e ON e.id > b.last_entry_id AND e.id <= c.last_entry_id
WHERE c.came_late > 0
  AND CASE WHEN e.booking_date <= b.closed_through THEN 1 ELSE 0 END = 1
