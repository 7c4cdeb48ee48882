/* ---
title: Reversals are the opposite
sentence: A reversal has a reason and exactly the opposite lines of an entry that is no reversal itself.
next: Reversal or original was changed outside the bank. Compare both with the last backup.
--- */
SELECT r.id AS entry_id, r.reverses_id, r.reason
FROM entries r
LEFT JOIN entries o ON o.id = r.reverses_id
WHERE r.reverses_id IS NOT NULL
  AND (
    o.id IS NULL
    OR o.reverses_id IS NOT NULL
    OR TRIM(COALESCE(r.reason, '')) = ''
    OR EXISTS (
        SELECT 1
        FROM postings p
        WHERE p.entry_id IN (r.id, r.reverses_id)
        GROUP BY p.gl_account_id, p.account_id, p.branch_id, p.currency
        HAVING SUM(p.amount_minor) <> 0
    )
  )
