/* ---
title: Waivers are closed
sentence: No floor stays waived after the import that waived it.
next: An import was broken off outside the bank. Find out what was booked on this account since then.
--- */
SELECT id, account_id, source, granted_at
FROM floor_waivers
WHERE closed_at IS NULL
