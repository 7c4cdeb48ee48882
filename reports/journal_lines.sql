/* ---
title: Journal lines
permission: journal:view
params:
  branch: {type: branch, label: Branch}
  currency: {type: text, required: true, label: Currency}
  figure:
    type: text
    required: true
    label: Figure
    options:
      deposits: Deposits
      cash: Cash in hand
      loans: Loans outstanding
      in: Into accounts
      out: Out of accounts
      cash_in: Cash in
      cash_out: Cash out
      gl: A ledger account
      moved: All that was moved
  product: {type: text, label: Product}
  gl: {type: text, label: Ledger account}
  day: {type: date, default: today, label: Up to}
  start: {type: date, label: From}
  since: {type: date, label: Lines from}
labels: {entry_id: Entry, booking_date: Booked, branch_name: Branch}
format: {booking_date: date, amount_minor: money}
--- */
-- What stands behind a figure of branch_money, branch_trend, cash_by_month, book_months or
-- trial_balance: the same lines that it adds up. What moved, moved on the day, or from `start` to the
-- day. With `since`, what is older is one line that is brought forward.
WITH chosen AS (
    SELECT id, code, name
    FROM gl_accounts
    WHERE CASE
        WHEN $figure IN ('deposits', 'in', 'out') THEN is_control AND kind = 'liability'
        WHEN $figure IN ('cash', 'cash_in', 'cash_out') THEN code = '1000'
        WHEN $figure = 'loans' THEN code = '1200'
        WHEN $figure = 'gl' THEN code = $gl
        WHEN $figure = 'moved' THEN TRUE
    END
), behind AS (
    SELECT p.entry_id, p.leg, p.booking_date, p.branch_id, p.gl_account_id, p.account_id,
           p.currency, p.amount_minor
    FROM postings p
    WHERE p.currency = $currency
      AND p.gl_account_id IN (SELECT id FROM chosen)
      AND p.booking_date <= $day
      AND ($figure NOT IN ('in', 'out', 'cash_in', 'cash_out', 'moved')
           OR p.booking_date >= COALESCE($start, $day))
      AND ($figure NOT IN ('in', 'cash_out', 'moved') OR p.amount_minor > 0)
      AND ($figure NOT IN ('out', 'cash_in') OR p.amount_minor < 0)
      AND ($product IS NULL OR p.product_id IN (SELECT id FROM products WHERE code = $product))
), lines AS (
    SELECT h.entry_id, h.leg, h.booking_date, b.name AS branch_name, c.code || ' ' || c.name AS ledger_account,
           a.masked AS account, e.narration, h.currency, h.amount_minor
    FROM behind h
    JOIN entries e ON e.id = h.entry_id
    JOIN branches b ON b.id = h.branch_id
    JOIN chosen c ON c.id = h.gl_account_id
    LEFT JOIN accounts a ON a.id = h.account_id
    WHERE $since IS NULL OR h.booking_date >= $since
    UNION ALL
    SELECT NULL, NULL, CAST($since AS DATE), NULL, NULL, NULL, 'Brought forward', currency, SUM(amount_minor)
    FROM behind
    WHERE booking_date < $since
    GROUP BY currency
)
SELECT entry_id, booking_date, branch_name, ledger_account, account, narration, currency, amount_minor
FROM lines
ORDER BY entry_id DESC NULLS FIRST, leg
