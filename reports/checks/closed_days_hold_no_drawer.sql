/* ---
title: Closed days hold no drawer
sentence: After its branch had closed the day no drawer was asked for, handed over or left open, and no cash came into the vault or left it.
next: Ask who opened the day again, and why it does not stand in the register of days.
--- */
WITH closed AS (
    SELECT a.branch_id, a.business_date, a.at
    FROM branch_day_acts a
    WHERE a.act = 'closed' AND a.id = (
        SELECT MAX(x.id) FROM branch_day_acts x
        WHERE x.branch_id = a.branch_id AND x.business_date = a.business_date
    )
)
SELECT 'drawer' AS kind, d.id, c.branch_id, c.business_date
FROM closed c
JOIN drawers d ON d.branch_id = c.branch_id AND d.business_date = c.business_date
WHERE d.requested_at > c.at
   OR d.opened_at > c.at
   OR d.closed_at > c.at
   OR d.status IN ('requested', 'open', 'counting', 'counted')
UNION ALL
SELECT 'move of cash', m.id, c.branch_id, c.business_date
FROM closed c
JOIN cash_moves m ON m.branch_id = c.branch_id AND m.business_date = c.business_date
WHERE m.moved_at > c.at AND m.kind NOT IN ('carried', 'imported')
