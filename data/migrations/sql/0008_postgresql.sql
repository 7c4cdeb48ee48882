-- Names that an entry bears, on PostgreSQL; see 0001_postgresql.sql for how guards are written.
--
-- Whoever booked an entry, and every branch it books at, exist. A batch names few of them many
-- times, so each is looked up once.
CREATE FUNCTION book_entries_named() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE wrong text;
BEGIN
  SELECT CASE WHEN b.id IS NULL THEN 'book: no such branch' ELSE 'book: no such user' END
  INTO wrong
  FROM (SELECT DISTINCT branch_id, actor_id FROM fresh) f
  LEFT JOIN {schema}.branches b ON b.id = f.branch_id
  LEFT JOIN {schema}.users u ON u.id = f.actor_id
  WHERE b.id IS NULL OR u.id IS NULL LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION '%', wrong; END IF;
  RETURN NULL;
END $$
-- next
CREATE TRIGGER entries_named AFTER INSERT ON entries
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION book_entries_named()
-- next
CREATE FUNCTION book_branches_named() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM (SELECT DISTINCT branch_id FROM fresh) f
             LEFT JOIN {schema}.branches b ON b.id = f.branch_id WHERE b.id IS NULL) THEN
    RAISE EXCEPTION 'book: no such branch';
  END IF;
  RETURN NULL;
END $$
-- next
CREATE TRIGGER postings_named AFTER INSERT ON postings
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION book_branches_named()
-- next
CREATE TRIGGER balances_named AFTER INSERT ON balances
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION book_branches_named()
-- next
-- And they stay: neither deleted nor given another number.
CREATE TRIGGER branches_no_delete BEFORE DELETE OR TRUNCATE ON branches
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: branches are never deleted')
-- next
CREATE TRIGGER branches_keep BEFORE UPDATE ON branches FOR EACH ROW WHEN (NEW.id <> OLD.id)
EXECUTE FUNCTION book_refuse('book: a branch keeps its number')
-- next
CREATE TRIGGER users_no_delete BEFORE DELETE OR TRUNCATE ON users
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: users are never deleted')
-- next
CREATE TRIGGER users_keep BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.id <> OLD.id)
EXECUTE FUNCTION book_refuse('book: a user keeps the number')
