/* ---
title: Slips lie in their cashier's own drawer
sentence: The drawer of every slip is its cashier's, of the same branch and business date.
next: Ask who worked at this counter on that day, and compare the slip with the drawer report.
--- */
SELECT s.entry_id, s.drawer_id, s.cashier_id, s.booking_date
FROM cash_slips s
LEFT JOIN drawers d ON d.id = s.drawer_id
WHERE s.drawer_id IS NOT NULL
  AND (
    d.id IS NULL
    OR d.cashier_id <> s.cashier_id
    OR d.branch_id <> s.branch_id
    OR d.business_date <> s.booking_date
    OR d.opened_by IS NULL
  )
