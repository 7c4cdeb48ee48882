-- The book keeps to its open days, on SQLite; see 0001_sqlite.sql for how guards are written.
--
-- Days are compared as texts: that they are written as days, entries_check sees to.
CREATE TRIGGER entries_on_open_days BEFORE INSERT ON entries
WHEN NEW.booking_date <= (SELECT closed_through FROM book_closings ORDER BY id DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'book: closed on that day'); END;
-- next
-- The last act says where the book stands, so it is the next one, and it says what was.
CREATE TRIGGER book_closings_follow BEFORE INSERT ON book_closings
WHEN NEW.id IS NOT (SELECT COALESCE(MAX(id), 0) + 1 FROM book_closings)
  OR NEW.was_through IS NOT (SELECT closed_through FROM book_closings ORDER BY id DESC LIMIT 1)
  OR NEW.closed_through IS (SELECT closed_through FROM book_closings ORDER BY id DESC LIMIT 1)
  OR NEW.closed_through IS NOT DATE(NEW.closed_through, '+0 days')
  OR NEW.last_entry_id IS NOT (SELECT COALESCE(MAX(id), 0) FROM entries)
  OR TRIM(NEW.reason) = ''
  OR NOT EXISTS (SELECT 1 FROM users WHERE id = NEW.by_id)
BEGIN SELECT RAISE(ABORT, 'book: a closing follows the one before, with a reason and a name'); END;
-- next
CREATE TRIGGER book_closings_no_update BEFORE UPDATE ON book_closings
BEGIN SELECT RAISE(ABORT, 'book: closings are never changed or deleted'); END;
-- next
CREATE TRIGGER book_closings_no_delete BEFORE DELETE ON book_closings
BEGIN SELECT RAISE(ABORT, 'book: closings are never changed or deleted'); END;
-- next
CREATE TRIGGER backdating_limits_follow BEFORE INSERT ON backdating_limits
WHEN NEW.id IS NOT (SELECT COALESCE(MAX(id), 0) + 1 FROM backdating_limits)
  OR NEW.effective_from IS NOT DATE(NEW.effective_from, '+0 days')
  OR (NEW.days IS NOT NULL AND (TYPEOF(NEW.days) <> 'integer' OR NEW.days < 0))
  OR TRIM(NEW.reason) = ''
  OR NOT EXISTS (SELECT 1 FROM users WHERE id = NEW.set_by)
BEGIN SELECT RAISE(ABORT, 'book: a limit follows the one before, with a reason and a name'); END;
-- next
CREATE TRIGGER backdating_limits_no_update BEFORE UPDATE ON backdating_limits
BEGIN SELECT RAISE(ABORT, 'book: limits are never changed or deleted'); END;
-- next
CREATE TRIGGER backdating_limits_no_delete BEFORE DELETE ON backdating_limits
BEGIN SELECT RAISE(ABORT, 'book: limits are never changed or deleted'); END;
