/* ---
title: Limits are kept
sentence: No account stands below its overdraft limit, unless an import took it there and it has only been credited since.
next: Ask who changed the limit or the holds of this account, and bring it back within its limit.
--- */
SELECT b.account_id, b.booked_minor, b.held_minor, b.overdraft_limit_minor
FROM balances b
WHERE b.booked_minor - b.held_minor < -b.overdraft_limit_minor
  AND NOT EXISTS (
    SELECT 1 FROM floor_waivers w
    WHERE w.account_id = b.account_id AND w.lowest_minor <= b.booked_minor
      AND NOT EXISTS (
        SELECT 1 FROM postings p JOIN entries e ON e.id = p.entry_id
        WHERE p.account_id = w.account_id AND p.amount_minor < 0 AND e.booked_at > w.closed_at))
