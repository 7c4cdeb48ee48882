/* ---
title: A year of deposits and cash
permission: branch_money:view
params:
  branch: {type: branch, label: Branch}
  day: {type: date, default: today, label: Up to}
chart: {kind: line, x: day, y: amount_minor, colour: label}
labels: {label: Figure}
format: {day: date, figure: hidden, amount_minor: money}
drill: journal_lines
--- */
-- Per currency and day of the year that ends on the day asked for: what customers' deposits stood
-- at in the evening, what cash came in (a debit of cash in hand) and went out on the day. Newest first.
WITH moved AS (
    SELECT t.booking_date, t.currency,
           CASE WHEN g.code = '1000' THEN 'cash' ELSE 'deposits' END AS figure,
           SUM(t.credit_minor) AS credit_minor, SUM(t.debit_minor) AS debit_minor
    FROM daily_totals t
    JOIN gl_accounts g ON g.id = t.gl_account_id
    WHERE t.booking_date <= $day AND (g.code = '1000' OR (g.is_control AND g.kind = 'liability'))
    GROUP BY t.booking_date, t.currency, CASE WHEN g.code = '1000' THEN 'cash' ELSE 'deposits' END
), trend AS (
    SELECT booking_date, currency, figure,
           SUM(credit_minor + debit_minor)
               OVER (PARTITION BY currency ORDER BY booking_date) AS amount_minor
    FROM moved WHERE figure = 'deposits'
    UNION ALL
    SELECT booking_date, currency, 'cash_in', debit_minor
    FROM moved WHERE figure = 'cash' AND debit_minor <> 0
    UNION ALL
    SELECT booking_date, currency, 'cash_out', credit_minor
    FROM moved WHERE figure = 'cash' AND credit_minor <> 0
)
SELECT booking_date AS day, currency, figure,
       CASE figure WHEN 'cash_in' THEN 'Cash in' WHEN 'cash_out' THEN 'Cash out' ELSE 'Deposits' END AS label,
       amount_minor
FROM trend
WHERE booking_date > CAST($day AS DATE) - INTERVAL 1 YEAR
ORDER BY currency, day DESC, figure
