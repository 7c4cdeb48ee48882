-- More guards of the book on PostgreSQL; see 0001_postgresql.sql for how they are written.
--
-- An account that an import took below its limit accepts credits only from then on: no other import
-- may waive its floor again. The chunks of one import are of one batch. Two imports at once would
-- not see each other's waivers, so waivers come one after the other.
CREATE FUNCTION book_check_waiver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.closed_at IS NOT NULL OR NEW.lowest_minor IS NOT NULL OR NEW.channel <> 'import'
     OR NEW.batch_id IS NULL THEN
    RAISE EXCEPTION 'book: an import opens a waiver and closes it';
  END IF;
  PERFORM pg_advisory_xact_lock(7243003);
  IF EXISTS (SELECT 1 FROM {schema}.floor_waivers
             WHERE account_id = NEW.account_id AND batch_id IS DISTINCT FROM NEW.batch_id) THEN
    RAISE EXCEPTION 'book: the floor was waived by another import';
  END IF;
  RETURN NEW;
END $$
-- next
DROP TRIGGER floor_waivers_start_open ON floor_waivers
-- next
CREATE TRIGGER floor_waivers_start_open BEFORE INSERT ON floor_waivers
FOR EACH ROW EXECUTE FUNCTION book_check_waiver()
-- next
DROP TRIGGER floor_waivers_close_once ON floor_waivers
-- next
CREATE TRIGGER floor_waivers_close_once BEFORE UPDATE ON floor_waivers FOR EACH ROW
WHEN (OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL
      OR (NEW.id, NEW.account_id, NEW.batch_id, NEW.channel, NEW.source, NEW.granted_at,
          NEW.granted_by)
         IS DISTINCT FROM
         (OLD.id, OLD.account_id, OLD.batch_id, OLD.channel, OLD.source, OLD.granted_at,
          OLD.granted_by))
EXECUTE FUNCTION book_refuse('book: a waiver is closed once')
-- next
-- How far the roots were published only grows.
CREATE TRIGGER published_roots_never_less BEFORE UPDATE ON published_roots FOR EACH ROW
WHEN (NEW.upto < OLD.upto OR NEW.id <> OLD.id)
EXECUTE FUNCTION book_refuse('book: what was published stays published')
-- next
CREATE TRIGGER published_roots_no_delete BEFORE DELETE OR TRUNCATE ON published_roots
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: what was published stays published')
-- next
-- A hold knows the request it was placed by and the one it was released by.
CREATE TRIGGER holds_start_unreleased BEFORE INSERT ON holds FOR EACH ROW
WHEN (NEW.release_request_id IS NOT NULL)
EXECUTE FUNCTION book_refuse('book: a hold starts unreleased')
-- next
CREATE TRIGGER holds_keep_request BEFORE UPDATE ON holds FOR EACH ROW
WHEN (NEW.request_id IS DISTINCT FROM OLD.request_id)
EXECUTE FUNCTION book_refuse('book: a hold keeps its request_id')
-- next
-- A currency is three capital letters.
ALTER TABLE postings ADD CONSTRAINT ck_postings_currency_capitals
CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$')
-- next
ALTER TABLE balances ADD CONSTRAINT ck_balances_currency_capitals
CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$')
