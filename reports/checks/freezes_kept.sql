/* ---
title: Frozen accounts rest
sentence: While a freeze stood on an account, nothing that people ask for was paid out of it or into it against the order.
next: Tell the lead of the branch and the office that gave the order. A reversal puts it right; ask how it could be booked.
--- */
SELECT f.id AS freeze_id, f.account_id, f.kind, e.id AS entry_id, e.kind AS entry_kind, p.amount_minor
FROM account_freezes f
JOIN postings p ON p.account_id = f.account_id AND p.line_no > f.lines_before
    AND (f.lines_after IS NULL OR p.line_no <= f.lines_after)
JOIN entries e ON e.id = p.entry_id
WHERE e.kind IN ('cash_deposit', 'cash_withdrawal', 'transfer')
  AND e.channel <> 'import'
  AND ((p.amount_minor < 0 AND f.kind IN ('debit', 'total'))
    OR (p.amount_minor > 0 AND f.kind IN ('credit', 'total')))
