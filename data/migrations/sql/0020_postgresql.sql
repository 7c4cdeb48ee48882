-- The book keeps to its open days, on PostgreSQL; see 0001_postgresql.sql for how guards are written.
--
-- Whoever closes the book holds a lock that no insert of an entry passes, so an entry is either there
-- before the act or sees it here. Names are checked as 0008 has it: one statement looks at both, because
-- each costs a single entry more than what it asks.
CREATE OR REPLACE FUNCTION book_entries_named() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE wrong text;
BEGIN
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
  RETURN NULL;
END $$
-- next
CREATE TRIGGER book_closings_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON book_closings
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: closings are never changed or deleted')
-- next
CREATE TRIGGER backdating_limits_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON backdating_limits
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: limits are never changed or deleted')
