/* ---
title: Trial balance
permission: trial_balance:view
params:
  branch: {type: branch, label: Branch}
  day: {type: date, default: today, label: As of}
labels: {gl: Code, name: Ledger account, amount_minor: Balance}
format: {figure: hidden, kind: word, debit_minor: amount, credit_minor: amount, amount_minor: money}
drill: journal_lines
--- */
-- One row per currency and ledger account that was ever used: its balance, on the side it stands.
WITH standing AS (
    SELECT currency, gl_account_id, SUM(credit_minor + debit_minor) AS amount_minor
    FROM daily_totals
    WHERE booking_date <= $day
    GROUP BY currency, gl_account_id
)
SELECT s.currency, 'gl' AS figure, g.code AS gl, g.name AS name, g.kind,
       GREATEST(-s.amount_minor, 0) AS debit_minor, GREATEST(s.amount_minor, 0) AS credit_minor,
       s.amount_minor
FROM standing s
JOIN gl_accounts g ON g.id = s.gl_account_id
ORDER BY s.currency, g.code
