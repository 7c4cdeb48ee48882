-- The book keeps to its open days, on SQLite; see 0001_sqlite.sql for how guards are written.
--
-- Days are compared as texts: that they are written as days, draft_lines_check sees to.
CREATE TRIGGER entries_on_open_days BEFORE INSERT ON entries
WHEN NEW.booking_date <= (SELECT closed_through FROM book_closings ORDER BY id DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'book: closed on that day'); END;
-- next
CREATE TRIGGER book_closings_no_update BEFORE UPDATE ON book_closings
BEGIN SELECT RAISE(ABORT, 'book: closings are never changed'); END;
-- next
CREATE TRIGGER book_closings_no_delete BEFORE DELETE ON book_closings
BEGIN SELECT RAISE(ABORT, 'book: closings are never deleted'); END;
-- next
CREATE TRIGGER book_closings_no_replace BEFORE INSERT ON book_closings
WHEN EXISTS (SELECT 1 FROM book_closings WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'book: closings are never changed'); END;
-- next
CREATE TRIGGER backdating_limits_no_update BEFORE UPDATE ON backdating_limits
BEGIN SELECT RAISE(ABORT, 'book: limits are never changed'); END;
-- next
CREATE TRIGGER backdating_limits_no_delete BEFORE DELETE ON backdating_limits
BEGIN SELECT RAISE(ABORT, 'book: limits are never deleted'); END;
-- next
CREATE TRIGGER backdating_limits_no_replace BEFORE INSERT ON backdating_limits
WHEN EXISTS (SELECT 1 FROM backdating_limits WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'book: limits are never changed'); END;
