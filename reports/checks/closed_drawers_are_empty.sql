/* ---
title: Closed drawers are empty
sentence: No drawer holds less than nothing, and one that is not in use holds nothing.
next: A slip or a move of this drawer was changed outside the bank. Compare it with its drawer report.
--- */
SELECT d.id AS drawer_id, d.status, COALESCE(m.moved_minor, 0) + COALESCE(s.slips_minor, 0) AS held_minor
FROM drawers d
LEFT JOIN (
    SELECT drawer_id, SUM(amount_minor) AS moved_minor
    FROM cash_moves
    WHERE drawer_id IS NOT NULL
    GROUP BY drawer_id
) m ON m.drawer_id = d.id
LEFT JOIN (
    SELECT cs.drawer_id, -SUM(p.amount_minor) AS slips_minor
    FROM cash_slips cs
    JOIN postings p ON p.entry_id = cs.entry_id
    JOIN gl_accounts g ON g.id = p.gl_account_id AND g.code = '1000'
    WHERE cs.drawer_id IS NOT NULL
    GROUP BY cs.drawer_id
) s ON s.drawer_id = d.id
WHERE COALESCE(m.moved_minor, 0) + COALESCE(s.slips_minor, 0) < 0
   OR (
    d.status NOT IN ('open', 'counting', 'counted')
    AND COALESCE(m.moved_minor, 0) + COALESCE(s.slips_minor, 0) <> 0
   )
