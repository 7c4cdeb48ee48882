-- More guards of the book on SQLite; see 0001_sqlite.sql for how they are written.
--
-- An account that an import took below its limit accepts credits only from then on: no other import
-- may waive its floor again. The chunks of one import are of one batch.
DROP TRIGGER floor_waivers_start_open
-- next
CREATE TRIGGER floor_waivers_start_open BEFORE INSERT ON floor_waivers
WHEN NEW.closed_at IS NOT NULL OR NEW.lowest_minor IS NOT NULL OR NEW.channel IS NOT 'import'
  OR TYPEOF(NEW.batch_id) <> 'integer'
  OR EXISTS (SELECT 1 FROM floor_waivers WHERE id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM balances WHERE account_id = NEW.account_id)
BEGIN SELECT RAISE(ABORT, 'book: an import opens a waiver and closes it'); END;
-- next
CREATE TRIGGER floor_waivers_once BEFORE INSERT ON floor_waivers
WHEN EXISTS (SELECT 1 FROM floor_waivers
             WHERE account_id = NEW.account_id AND batch_id IS NOT NEW.batch_id)
BEGIN SELECT RAISE(ABORT, 'book: the floor was waived by another import'); END;
-- next
DROP TRIGGER floor_waivers_close_once
-- next
CREATE TRIGGER floor_waivers_close_once BEFORE UPDATE ON floor_waivers
WHEN OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL
  OR NEW.id IS NOT OLD.id OR NEW.account_id IS NOT OLD.account_id
  OR NEW.batch_id IS NOT OLD.batch_id
  OR NEW.channel IS NOT OLD.channel OR NEW.source IS NOT OLD.source
  OR NEW.granted_at IS NOT OLD.granted_at OR NEW.granted_by IS NOT OLD.granted_by
BEGIN SELECT RAISE(ABORT, 'book: a waiver is closed once'); END;
-- next
-- How far the roots were published only grows.
CREATE TRIGGER published_roots_grow_only BEFORE INSERT ON published_roots
WHEN EXISTS (SELECT 1 FROM published_roots WHERE upto > NEW.upto)
BEGIN SELECT RAISE(ABORT, 'book: what was published stays published'); END;
-- next
CREATE TRIGGER published_roots_never_less BEFORE UPDATE ON published_roots
WHEN NEW.upto < OLD.upto OR NEW.id IS NOT OLD.id
BEGIN SELECT RAISE(ABORT, 'book: what was published stays published'); END;
-- next
CREATE TRIGGER published_roots_no_delete BEFORE DELETE ON published_roots
BEGIN SELECT RAISE(ABORT, 'book: what was published stays published'); END;
-- next
-- A hold knows the request it was placed by and the one it was released by, each once in the book.
CREATE TRIGGER holds_asked_once BEFORE INSERT ON holds
WHEN NEW.release_request_id IS NOT NULL
  OR EXISTS (SELECT 1 FROM holds WHERE request_id = NEW.request_id)
BEGIN SELECT RAISE(ABORT, 'book: a hold is placed once per request_id'); END;
-- next
CREATE TRIGGER holds_keep_request BEFORE UPDATE ON holds
WHEN NEW.request_id IS NOT OLD.request_id
  OR EXISTS (SELECT 1 FROM holds
             WHERE release_request_id = NEW.release_request_id AND id <> OLD.id)
BEGIN SELECT RAISE(ABORT, 'book: a hold keeps its request_id'); END;
-- next
-- What the counters keep is not written over either: OR REPLACE removes a row without a delete
-- trigger where a connection says so. A slip that is there already is not taken a second time.
CREATE TRIGGER cash_slips_no_replace BEFORE INSERT ON cash_slips
WHEN EXISTS (SELECT 1 FROM cash_slips WHERE entry_id = NEW.entry_id)
BEGIN SELECT RAISE(ABORT, 'cash_slips: records are never changed or deleted'); END;
-- next
CREATE TRIGGER cash_slips_once BEFORE INSERT ON cash_slips
WHEN EXISTS (SELECT 1 FROM cash_slips
             WHERE branch_id = NEW.branch_id AND booking_date = NEW.booking_date
               AND slip_number = NEW.slip_number AND kind = NEW.kind AND again = NEW.again
               AND entry_id <> NEW.entry_id)
BEGIN SELECT RAISE(IGNORE); END;
-- next
CREATE TRIGGER transfers_no_replace BEFORE INSERT ON transfers
WHEN EXISTS (SELECT 1 FROM transfers WHERE entry_id = NEW.entry_id)
BEGIN SELECT RAISE(ABORT, 'transfers: records are never changed or deleted'); END;
-- next
CREATE TRIGGER receipt_prints_no_replace BEFORE INSERT ON receipt_prints
WHEN EXISTS (SELECT 1 FROM receipt_prints
             WHERE entry_id = NEW.entry_id AND copy_number = NEW.copy_number)
BEGIN SELECT RAISE(ABORT, 'receipt_prints: records are never changed or deleted'); END;
-- next
-- A currency is three capital letters. Every line of an entry is on a draft first.
DROP TRIGGER draft_lines_check
-- next
CREATE TRIGGER draft_lines_check BEFORE INSERT ON draft_lines
WHEN NEW.id IS NOT NEW.entry_id * 65536 + NEW.leg OR NEW.leg NOT BETWEEN 1 AND 65535
  OR TYPEOF(NEW.amount_minor) <> 'integer' OR NEW.amount_minor = 0
  OR (NEW.currency GLOB '[A-Z][A-Z][A-Z]') IS NOT 1
  OR EXISTS (SELECT 1 FROM entries WHERE id = NEW.entry_id)
BEGIN
  SELECT CASE WHEN EXISTS (SELECT 1 FROM entries WHERE id = NEW.entry_id)
    THEN RAISE(ABORT, 'book: entry is closed')
    WHEN (NEW.currency GLOB '[A-Z][A-Z][A-Z]') IS NOT 1
    THEN RAISE(ABORT, 'book: a currency is three capital letters')
    ELSE RAISE(ABORT, 'book: a line has a place and a whole amount') END;
END;
-- next
CREATE TRIGGER balances_currency BEFORE INSERT ON balances
WHEN (NEW.currency GLOB '[A-Z][A-Z][A-Z]') IS NOT 1
BEGIN SELECT RAISE(ABORT, 'book: a currency is three capital letters'); END;
