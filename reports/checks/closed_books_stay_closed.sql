/* ---
title: Closed books stay closed
sentence: Once the book was closed through a day, nothing was booked on that day or before it until head office opened it again.
next: Find out how this entry came into a closed month. Reverse it, and tell whoever was given the month's figures.
--- */
WITH acts AS (
    SELECT c.id, c.closed_through, c.last_entry_id, (
        SELECT MIN(n.last_entry_id) FROM book_closings n WHERE n.id > c.id
    ) AS until_entry_id
    FROM book_closings c
)
SELECT e.id AS entry_id, e.booking_date, a.closed_through, a.id AS closing_id
FROM acts a
JOIN entries e ON e.id > a.last_entry_id AND (a.until_entry_id IS NULL OR e.id <= a.until_entry_id)
WHERE e.booking_date <= a.closed_through
