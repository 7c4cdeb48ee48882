/* ---
title: Held amounts are the active holds
sentence: What is held on every account is the sum of its holds that are not released.
next: The held amount was edited outside the bank. The holds are the truth; correct it to their sum.
--- */
SELECT b.account_id, b.held_minor, COALESCE(h.active_minor, 0) AS holds_minor
FROM balances b
LEFT JOIN (
    SELECT account_id, SUM(amount_minor) AS active_minor
    FROM holds
    WHERE released_at IS NULL
    GROUP BY account_id
) h ON h.account_id = b.account_id
WHERE b.held_minor <> COALESCE(h.active_minor, 0)
