-- The book keeps to its open days, on PostgreSQL; see 0001_postgresql.sql for how guards are written.
--
-- Whoever writes entries shares a lock (7243002, bank/book/book_days.py) that whoever closes the book has
-- alone: so an entry is either there before the act or sees it here. It is no lock on the table, because
-- that one would wait for a vacuum as well. An older snapshot would not see the act, so there is none.
-- Names are checked as 0008 has it: one statement looks at both, because each costs a single entry
-- more than what it asks.
CREATE OR REPLACE FUNCTION book_entries_named() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE wrong text;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7243002);
  SELECT CASE WHEN b.id IS NULL THEN 'book: no such branch' WHEN u.id IS NULL THEN 'book: no such user'
              ELSE 'book: closed on that day' END
  INTO wrong
  FROM (SELECT DISTINCT branch_id, actor_id, booking_date FROM fresh) f
  LEFT JOIN {schema}.branches b ON b.id = f.branch_id
  LEFT JOIN {schema}.users u ON u.id = f.actor_id
  WHERE b.id IS NULL OR u.id IS NULL OR f.booking_date
        <= (SELECT closed_through FROM {schema}.book_closings ORDER BY id DESC LIMIT 1)
  LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION '%', wrong; END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'book: entries are written at read committed';
  END IF;
  RETURN NULL;
END $$
-- next
-- The last act says where the book stands, so it is the next one, and it says what was.
CREATE FUNCTION book_check_closing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last record;
BEGIN
  PERFORM pg_advisory_xact_lock(7243002);
  SELECT id, closed_through INTO last FROM {schema}.book_closings ORDER BY id DESC LIMIT 1;
  IF NEW.id <> COALESCE(last.id, 0) + 1
     OR NEW.was_through IS DISTINCT FROM last.closed_through
     OR NEW.closed_through IS NOT DISTINCT FROM last.closed_through
     OR NEW.last_entry_id <> (SELECT COALESCE(MAX(id), 0) FROM {schema}.entries)
     OR TRIM(NEW.reason) = ''
     OR NOT EXISTS (SELECT 1 FROM {schema}.users WHERE id = NEW.by_id) THEN
    RAISE EXCEPTION 'book: a closing follows the one before, with a reason and a name';
  END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER book_closings_follow BEFORE INSERT ON book_closings
FOR EACH ROW EXECUTE FUNCTION book_check_closing()
-- next
CREATE TRIGGER book_closings_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON book_closings
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: closings are never changed or deleted')
-- next
CREATE FUNCTION book_check_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.id <> (SELECT COALESCE(MAX(id), 0) + 1 FROM {schema}.backdating_limits)
     OR TRIM(NEW.reason) = ''
     OR NOT EXISTS (SELECT 1 FROM {schema}.users WHERE id = NEW.set_by) THEN
    RAISE EXCEPTION 'book: a limit follows the one before, with a reason and a name';
  END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER backdating_limits_follow BEFORE INSERT ON backdating_limits
FOR EACH ROW EXECUTE FUNCTION book_check_limit()
-- next
CREATE TRIGGER backdating_limits_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON backdating_limits
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: limits are never changed or deleted')
