/* ---
title: Imports are finished
sentence: Every import that wrote its rows by the chunk came to its end, then or in a later run.
next: If no import runs just now, this one was broken off. Import the same folder again to finish it.
--- */
-- With --strict an import is all or nothing: broken off, it left nothing to be finished.
SELECT b.id AS import_batch_id, b.folder, b.started_at
FROM import_batches b
WHERE b.status = 'started' AND NOT b.strict
  AND NOT EXISTS (
    SELECT 1
    FROM import_batches later
    WHERE later.folder = b.folder AND later.id > b.id AND later.status = 'imported'
  )
