-- Names that an entry bears, on SQLite; see 0001_sqlite.sql for how guards are written.
--
-- Whoever booked an entry, and every branch it books at, exist.
CREATE TRIGGER entries_named BEFORE INSERT ON entries
WHEN NOT EXISTS (SELECT 1 FROM branches WHERE id = NEW.branch_id)
  OR NOT EXISTS (SELECT 1 FROM users WHERE id = NEW.actor_id)
BEGIN
  SELECT CASE WHEN EXISTS (SELECT 1 FROM branches WHERE id = NEW.branch_id)
    THEN RAISE(ABORT, 'book: no such user')
    ELSE RAISE(ABORT, 'book: no such branch') END;
END;
-- next
CREATE TRIGGER postings_named BEFORE INSERT ON postings
WHEN NOT EXISTS (SELECT 1 FROM branches WHERE id = NEW.branch_id)
BEGIN SELECT RAISE(ABORT, 'book: no such branch'); END;
-- next
CREATE TRIGGER balances_named BEFORE INSERT ON balances
WHEN NOT EXISTS (SELECT 1 FROM branches WHERE id = NEW.branch_id)
BEGIN SELECT RAISE(ABORT, 'book: no such branch'); END;
-- next
-- And they stay: neither deleted, nor given another number, nor pushed out by OR REPLACE.
CREATE TRIGGER branches_no_delete BEFORE DELETE ON branches
BEGIN SELECT RAISE(ABORT, 'book: branches are never deleted'); END;
-- next
CREATE TRIGGER branches_no_replace BEFORE INSERT ON branches
WHEN EXISTS (SELECT 1 FROM branches
             WHERE id = NEW.id OR ifsc = NEW.ifsc OR micr = NEW.micr)
BEGIN SELECT RAISE(ABORT, 'book: there is such a branch already'); END;
-- next
CREATE TRIGGER branches_keep BEFORE UPDATE ON branches
WHEN NEW.id IS NOT OLD.id
  OR EXISTS (SELECT 1 FROM branches
             WHERE (ifsc = NEW.ifsc OR micr = NEW.micr) AND id <> OLD.id)
BEGIN SELECT RAISE(ABORT, 'book: a branch keeps its number, and its codes are its own'); END;
-- next
CREATE TRIGGER users_no_delete BEFORE DELETE ON users
BEGIN SELECT RAISE(ABORT, 'book: users are never deleted'); END;
-- next
CREATE TRIGGER users_no_replace BEFORE INSERT ON users
WHEN EXISTS (SELECT 1 FROM users
             WHERE id = NEW.id OR username = NEW.username OR customer_id = NEW.customer_id)
BEGIN SELECT RAISE(ABORT, 'book: there is such a user already'); END;
-- next
CREATE TRIGGER users_keep BEFORE UPDATE ON users
WHEN NEW.id IS NOT OLD.id
  OR EXISTS (SELECT 1 FROM users
             WHERE (username = NEW.username OR customer_id = NEW.customer_id) AND id <> OLD.id)
BEGIN SELECT RAISE(ABORT, 'book: a user keeps the number, and the name is theirs alone'); END;
