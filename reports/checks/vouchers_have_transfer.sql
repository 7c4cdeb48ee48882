/* ---
title: Vouchers stand for a transfer
sentence: Every voucher of the counter has an entry of a transfer, with both accounts and the amount that was booked.
next: Compare the entry with the voucher on paper, and reverse it if it is not what the holder signed.
--- */
SELECT v.entry_id, v.branch_id, v.voucher_number, e.kind, t.amount_minor
FROM fund_vouchers v
LEFT JOIN entries e ON e.id = v.entry_id
LEFT JOIN transfers t ON t.entry_id = v.entry_id
WHERE e.kind IS NULL
  OR e.kind <> 'transfer'
  OR e.branch_id <> v.branch_id
  OR e.booking_date <> v.booking_date
  OR t.entry_id IS NULL
  OR NOT EXISTS (
    SELECT 1 FROM postings p
    WHERE p.entry_id = v.entry_id AND p.account_id = t.from_account_id
      AND p.amount_minor = -t.amount_minor
  )
  OR NOT EXISTS (
    SELECT 1 FROM postings p
    WHERE p.entry_id = v.entry_id AND p.account_id = t.to_account_id
      AND p.amount_minor = t.amount_minor
  )
