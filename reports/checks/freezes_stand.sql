/* ---
title: Accounts say what stands on them
sentence: What every account says of freezes is what its orders that are not lifted come to.
next: The account was edited outside the bank. The orders are the truth; correct what the account says.
--- */
SELECT a.id, a.frozen, s.should_be
FROM accounts a
LEFT JOIN (
    SELECT account_id,
           CASE WHEN MIN(kind) = MAX(kind) THEN MIN(kind) ELSE 'total' END AS should_be
    FROM account_freezes
    WHERE lifted_at IS NULL
    GROUP BY account_id
) s ON s.account_id = a.id
WHERE COALESCE(a.frozen, '') <> COALESCE(s.should_be, '')
