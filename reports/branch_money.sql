/* ---
title: Branch money
permission: branch_money:view
params:
  branch: {type: branch, label: Branch}
  day: {type: date, default: today, label: As of}
chart: {kind: bar, x: label, y: amount_minor}
labels: {branch_name: Branch, label: Figure}
format: {branch: hidden, figure: hidden, product: hidden, amount_minor: money}
drill: journal_lines
--- */
-- One row per branch, currency and figure. What each figure adds up is said here and in
-- journal_lines.sql; a test holds the two together.
WITH standing AS (
    SELECT branch_id, currency, gl_account_id, product_id,
           SUM(credit_minor + debit_minor) AS amount_minor
    FROM daily_totals
    WHERE booking_date <= $day
    GROUP BY branch_id, currency, gl_account_id, product_id
), moved AS (
    SELECT t.branch_id, t.currency, SUM(t.credit_minor) AS in_minor, SUM(t.debit_minor) AS out_minor
    FROM daily_totals t
    JOIN gl_accounts g ON g.id = t.gl_account_id
    WHERE t.booking_date = $day AND g.is_control AND g.kind = 'liability'
    GROUP BY t.branch_id, t.currency
), figures AS (
    SELECT s.branch_id, s.currency,
           CASE g.code WHEN '1000' THEN 'cash' WHEN '1200' THEN 'loans' ELSE 'deposits' END AS figure,
           p.code AS product, COALESCE(p.name, g.name) AS label, s.amount_minor
    FROM standing s
    JOIN gl_accounts g ON g.id = s.gl_account_id
    LEFT JOIN products p ON p.id = s.product_id
    WHERE g.code IN ('1000', '1200') OR (g.is_control AND g.kind = 'liability')
    UNION ALL
    SELECT branch_id, currency, 'in', NULL, 'Into accounts', in_minor FROM moved
    UNION ALL
    SELECT branch_id, currency, 'out', NULL, 'Out of accounts', out_minor FROM moved
)
SELECT f.branch_id AS branch, b.name AS branch_name, f.currency, f.figure, f.product, f.label,
       f.amount_minor
FROM figures f
JOIN branches b ON b.id = f.branch_id
ORDER BY b.name, f.currency,
         CASE f.figure WHEN 'deposits' THEN 1 WHEN 'cash' THEN 2 WHEN 'loans' THEN 3 WHEN 'in' THEN 4 ELSE 5 END,
         f.label
