/* ---
title: Cash in and out by month
permission: branch_money:view
params:
  branch: {type: branch, label: Branch}
  day: {type: date, default: today, label: Up to}
chart: {kind: in_and_out, x: start, y: amount_minor, comes_in: debit}
labels: {start: From, day: To, label: Figure}
format: {start: date, day: date, figure: hidden, amount_minor: money}
drill: journal_lines
--- */
-- Per currency and month of the year that ends on the day asked for: what cash came in (a debit of
-- cash in hand) and went out. The first and the last month may be in part. Newest first.
WITH asked AS (
    SELECT CAST($day AS DATE) AS last_day, CAST(CAST($day AS DATE) - INTERVAL 1 YEAR AS DATE) + 1 AS first_day
), cash AS (
    SELECT CAST(date_trunc('month', t.booking_date) AS DATE) AS month, t.currency,
           SUM(t.debit_minor) AS debit_minor, SUM(t.credit_minor) AS credit_minor
    FROM daily_totals t
    JOIN gl_accounts g ON g.id = t.gl_account_id
    WHERE g.code = '1000' AND t.booking_date BETWEEN (SELECT first_day FROM asked) AND (SELECT last_day FROM asked)
    GROUP BY date_trunc('month', t.booking_date), t.currency
), flows AS (
    SELECT month, currency, 'cash_in' AS figure, 'Cash in' AS label, debit_minor AS amount_minor
    FROM cash WHERE debit_minor <> 0
    UNION ALL
    SELECT month, currency, 'cash_out', 'Cash out', credit_minor
    FROM cash WHERE credit_minor <> 0
)
SELECT strftime(f.month, '%b %Y') AS month, f.label, greatest(f.month, a.first_day) AS start,
       least(last_day(f.month), a.last_day) AS day, f.currency, f.figure, f.amount_minor
FROM flows f
CROSS JOIN asked a
ORDER BY f.currency, f.month DESC, f.figure
