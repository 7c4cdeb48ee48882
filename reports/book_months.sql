/* ---
title: The book by month
permission: trial_balance:view
params:
  branch: {type: branch, label: Branch}
  day: {type: date, default: today, label: Up to}
labels: {start: From, day: To, amount_minor: Moved}
format: {figure: hidden, start: date, day: date, lines: number, amount_minor: amount}
drill: journal_lines
--- */
-- Per currency and month of the two years that end on the day asked for: how many lines were booked,
-- and what they moved (all credits, which are as much as all debits). The first and the last month
-- may be in part. Newest first.
WITH asked AS (
    SELECT CAST($day AS DATE) AS last_day, CAST(CAST($day AS DATE) - INTERVAL 2 YEAR AS DATE) + 1 AS first_day
), booked AS (
    SELECT CAST(date_trunc('month', t.booking_date) AS DATE) AS month, t.currency,
           SUM(t.lines) AS lines, SUM(t.credit_minor) AS amount_minor
    FROM daily_totals t
    WHERE t.booking_date BETWEEN (SELECT first_day FROM asked) AND (SELECT last_day FROM asked)
    GROUP BY date_trunc('month', t.booking_date), t.currency
)
SELECT strftime(b.month, '%b %Y') AS month, greatest(b.month, a.first_day) AS start,
       least(last_day(b.month), a.last_day) AS day, b.currency, 'moved' AS figure, b.lines, b.amount_minor
FROM booked b
CROSS JOIN asked a
ORDER BY b.currency, b.month DESC
