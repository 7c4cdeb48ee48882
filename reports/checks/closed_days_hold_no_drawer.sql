/* ---
title: Closed days hold no drawer
sentence: No drawer was asked for or handed over after its branch had closed the day.
next: Ask who opened the day again, and why it does not stand in the register of days.
--- */
SELECT d.id AS drawer_id, d.branch_id, d.business_date, d.requested_at
FROM drawers d
JOIN branch_day_acts a
    ON a.branch_id = d.branch_id
    AND a.business_date = d.business_date
    AND a.id = (
        SELECT MAX(x.id) FROM branch_day_acts x
        WHERE x.branch_id = d.branch_id AND x.business_date = d.business_date
    )
WHERE a.act = 'closed'
  AND (d.requested_at > a.at OR d.status IN ('requested', 'open', 'counting', 'counted'))
