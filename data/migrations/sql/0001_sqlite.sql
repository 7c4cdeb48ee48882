-- Guards of the book on SQLite. One statement per block, blocks separated by a line of two dashes and "next".
--
-- SQLite has neither statement triggers nor checks at commit, and its keys and CHECKs are switched off by
-- a pragma of the connection, so everything that matters is a row trigger. The lines of an entry are first
-- put on a draft, which moves nothing. The entry checks its draft, turns it into postings and tears it up,
-- all in its own INSERT. A posting needs its entry and the same line on a draft, and a draft takes no line
-- once its entry stands: so a posting comes with its entry or never. OR REPLACE, OR IGNORE and aliases of
-- the key (rowid) are why nothing here relies on keys, delete triggers or lists of columns.
CREATE TABLE draft_lines (
  id INTEGER PRIMARY KEY,  -- entry_id * 65536 + leg
  entry_id INTEGER NOT NULL,
  leg INTEGER NOT NULL,
  gl_account_id INTEGER NOT NULL,
  account_id INTEGER,
  branch_id INTEGER NOT NULL,
  currency VARCHAR(3) NOT NULL,
  amount_minor INTEGER NOT NULL,
  booking_date DATE NOT NULL,
  value_date DATE NOT NULL,
  line_no INTEGER,
  balance_minor INTEGER
)
-- next
CREATE TRIGGER draft_lines_check BEFORE INSERT ON draft_lines
WHEN NEW.id IS NOT NEW.entry_id * 65536 + NEW.leg OR NEW.leg NOT BETWEEN 1 AND 65535
  OR TYPEOF(NEW.amount_minor) <> 'integer' OR NEW.amount_minor = 0
  OR EXISTS (SELECT 1 FROM entries WHERE id = NEW.entry_id)
BEGIN
  SELECT CASE WHEN EXISTS (SELECT 1 FROM entries WHERE id = NEW.entry_id)
    THEN RAISE(ABORT, 'book: entry is closed')
    ELSE RAISE(ABORT, 'book: a line has a place and a whole amount') END;
END;
-- next
CREATE TRIGGER draft_lines_no_update BEFORE UPDATE ON draft_lines
BEGIN SELECT RAISE(ABORT, 'book: a draft is not changed'); END;
-- next
CREATE TRIGGER entries_check BEFORE INSERT ON entries
BEGIN
  SELECT CASE
    WHEN EXISTS (SELECT 1 FROM entries WHERE request_id = NEW.request_id)
      THEN RAISE(ABORT, 'book: request exists')
    -- Readers and seals go by ascending ids.
    WHEN NEW.id IS NOT (SELECT MAX(id) FROM entries) + 1
      AND (NEW.id IS NOT 1 OR EXISTS (SELECT 1 FROM entries))
      THEN RAISE(ABORT, 'book: an entry has the next number')
    WHEN NEW.txid IS NOT NULL OR NEW.channel = '' OR NEW.kind = ''
      OR NEW.booking_date IS NOT DATE(NEW.booking_date, '+0 days')
      OR NEW.value_date IS NOT DATE(NEW.value_date, '+0 days')
      OR TYPEOF(NEW.branch_id) <> 'integer' OR TYPEOF(NEW.actor_id) <> 'integer'
      THEN RAISE(ABORT, 'book: an entry names its kind, branch, actor, channel and dates')
    WHEN d.lines < 2 OR d.last_leg <> d.lines
      THEN RAISE(ABORT, 'book: entry needs two lines')
    WHEN d.total <> 0 OR d.between_branches <> 0
      THEN RAISE(ABORT, 'book: entry does not balance')
    WHEN d.mixed AND EXISTS (
        SELECT 1 FROM draft_lines WHERE id BETWEEN NEW.id * 65536 AND NEW.id * 65536 + 65535
        GROUP BY branch_id, currency HAVING SUM(amount_minor) <> 0)
      THEN RAISE(ABORT, 'book: entry does not balance')
    WHEN d.mixed AND EXISTS (
        SELECT 1 FROM draft_lines WHERE id BETWEEN NEW.id * 65536 AND NEW.id * 65536 + 65535
        AND gl_account_id = (SELECT id FROM gl_accounts WHERE code = '1900')
        GROUP BY currency HAVING SUM(amount_minor) <> 0)
      THEN RAISE(ABORT, 'book: entry does not balance')
  END
  FROM (SELECT COUNT(*) AS lines, MAX(leg) AS last_leg, SUM(amount_minor) AS total,
               SUM(CASE WHEN gl_account_id = (SELECT id FROM gl_accounts WHERE code = '1900')
                        THEN amount_minor ELSE 0 END) AS between_branches,
               SUM(branch_id IS NOT NEW.branch_id) > 0 OR MIN(currency) <> MAX(currency) AS mixed
        FROM draft_lines WHERE id BETWEEN NEW.id * 65536 AND NEW.id * 65536 + 65535) d;
END;
-- next
CREATE TRIGGER entries_reversal BEFORE INSERT ON entries
WHEN NEW.reverses_id IS NOT NULL
BEGIN
  SELECT CASE
    WHEN NEW.reason IS NULL OR TRIM(NEW.reason) = ''
      THEN RAISE(ABORT, 'book: a reversal needs a reason')
    WHEN NOT EXISTS (SELECT 1 FROM entries WHERE id = NEW.reverses_id AND reverses_id IS NULL)
      THEN RAISE(ABORT, 'book: a reversal reverses an entry that is none')
    WHEN EXISTS (SELECT 1 FROM entries WHERE id = NEW.reverses_id AND actor_id = NEW.actor_id)
      THEN RAISE(ABORT, 'book: the poster may not reverse')
    WHEN EXISTS (SELECT 1 FROM entries WHERE reverses_id = NEW.reverses_id)
      THEN RAISE(ABORT, 'book: entry is reversed already')
    WHEN EXISTS (SELECT 1 FROM (
                   SELECT gl_account_id, account_id, branch_id, currency, amount_minor
                   FROM draft_lines WHERE id BETWEEN NEW.id * 65536 AND NEW.id * 65536 + 65535
                   UNION ALL
                   SELECT gl_account_id, account_id, branch_id, currency, amount_minor
                   FROM postings WHERE entry_id = NEW.reverses_id)
                 GROUP BY gl_account_id, account_id, branch_id, currency
                 HAVING SUM(amount_minor) <> 0)
      THEN RAISE(ABORT, 'book: a reversal has the opposite lines')
  END;
END;
-- next
CREATE TRIGGER entries_take_lines AFTER INSERT ON entries
BEGIN
  DELETE FROM draft_lines WHERE id BETWEEN NEW.id * 65536 AND NEW.id * 65536 + 65535;
END;
-- next
CREATE TRIGGER draft_lines_booked BEFORE DELETE ON draft_lines
WHEN EXISTS (SELECT 1 FROM entries WHERE id = OLD.entry_id)
BEGIN
  INSERT INTO postings (entry_id, leg, gl_account_id, account_id, branch_id, currency, amount_minor,
                        booking_date, value_date, line_no, balance_minor)
  VALUES (OLD.entry_id, OLD.leg, OLD.gl_account_id, OLD.account_id, OLD.branch_id, OLD.currency,
          OLD.amount_minor, OLD.booking_date, OLD.value_date, OLD.line_no, OLD.balance_minor);
END;
-- next
CREATE TRIGGER postings_check BEFORE INSERT ON postings
BEGIN
  SELECT RAISE(ABORT, 'book: lines come with their entry')
  WHERE NEW.txid IS NOT NULL
    OR (SELECT booking_date = NEW.booking_date AND value_date = NEW.value_date
        FROM entries WHERE id = NEW.entry_id) IS NOT 1
    OR NOT EXISTS (
      SELECT 1 FROM draft_lines
      WHERE id = NEW.entry_id * 65536 + NEW.leg AND gl_account_id = NEW.gl_account_id
        AND account_id IS NEW.account_id AND branch_id = NEW.branch_id
        AND currency = NEW.currency AND amount_minor = NEW.amount_minor
        AND line_no IS NEW.line_no AND balance_minor IS NEW.balance_minor);
  SELECT RAISE(ABORT, 'book: line needs a ledger account that is no control account')
  WHERE NEW.account_id IS NULL AND (
    NEW.line_no IS NOT NULL OR NEW.balance_minor IS NOT NULL
    OR (SELECT is_control FROM gl_accounts WHERE id = NEW.gl_account_id) IS NOT 0);
  SELECT CASE
    WHEN b.account_id IS NULL THEN RAISE(ABORT, 'book: no such account')
    WHEN b.gl_account_id <> NEW.gl_account_id OR b.branch_id <> NEW.branch_id
      OR b.currency <> NEW.currency THEN RAISE(ABORT, 'book: line does not fit its account')
    WHEN NEW.line_no IS NOT b.lines + 1
      OR NEW.balance_minor IS NOT b.booked_minor + NEW.amount_minor
      OR TYPEOF(NEW.balance_minor) <> 'integer'
      THEN RAISE(ABORT, 'book: running balance does not follow')
    WHEN NEW.amount_minor < 0
      AND NEW.balance_minor - b.held_minor < -b.overdraft_limit_minor
      AND NOT ((SELECT channel FROM entries WHERE id = NEW.entry_id) = 'import'
               AND EXISTS (SELECT 1 FROM floor_waivers w
                           WHERE w.account_id = NEW.account_id AND w.closed_at IS NULL))
      THEN RAISE(ABORT, 'book: insufficient funds')
  END
  FROM (SELECT 1) LEFT JOIN balances b ON b.account_id = NEW.account_id
  WHERE NEW.account_id IS NOT NULL;
END;
-- next
CREATE TRIGGER postings_move_balance AFTER INSERT ON postings
WHEN NEW.account_id IS NOT NULL
BEGIN
  UPDATE balances SET booked_minor = NEW.balance_minor, lines = NEW.line_no
  WHERE account_id = NEW.account_id;
END;
-- next
CREATE TRIGGER postings_no_update BEFORE UPDATE ON postings
BEGIN SELECT RAISE(ABORT, 'book: postings are never changed'); END;
-- next
CREATE TRIGGER postings_no_delete BEFORE DELETE ON postings
BEGIN SELECT RAISE(ABORT, 'book: postings are never deleted'); END;
-- next
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'book: entries are never changed'); END;
-- next
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'book: entries are never deleted'); END;
-- next
-- What the guards look up must stand still: the chart grows, and names may be improved.
CREATE TRIGGER gl_accounts_keep BEFORE UPDATE ON gl_accounts
WHEN NEW.id IS NOT OLD.id OR NEW.code IS NOT OLD.code OR NEW.kind IS NOT OLD.kind
  OR NEW.is_control IS NOT OLD.is_control
BEGIN SELECT RAISE(ABORT, 'book: a ledger account keeps its code and kind'); END;
-- next
CREATE TRIGGER gl_accounts_no_replace BEFORE INSERT ON gl_accounts
WHEN EXISTS (SELECT 1 FROM gl_accounts WHERE id = NEW.id OR code = NEW.code)
BEGIN SELECT RAISE(ABORT, 'book: a ledger account keeps its code and kind'); END;
-- next
CREATE TRIGGER gl_accounts_no_delete BEFORE DELETE ON gl_accounts
BEGIN SELECT RAISE(ABORT, 'book: ledger accounts are never deleted'); END;
-- next
CREATE TRIGGER balances_start_empty BEFORE INSERT ON balances
WHEN NEW.booked_minor IS NOT 0 OR NEW.held_minor IS NOT 0 OR NEW.lines IS NOT 0
  OR TYPEOF(NEW.overdraft_limit_minor) <> 'integer' OR NEW.overdraft_limit_minor < 0
  OR EXISTS (SELECT 1 FROM balances WHERE account_id = NEW.account_id)
  OR NOT EXISTS (SELECT 1 FROM gl_accounts WHERE id = NEW.gl_account_id AND is_control = 1)
BEGIN SELECT RAISE(ABORT, 'book: a balance starts empty, on a control account'); END;
-- next
-- A balance says what its last line and its holds say, whoever writes it.
CREATE TRIGGER balances_keep BEFORE UPDATE ON balances
BEGIN
  SELECT CASE
    WHEN NEW.account_id IS NOT OLD.account_id OR NEW.gl_account_id IS NOT OLD.gl_account_id
      OR NEW.branch_id IS NOT OLD.branch_id OR NEW.currency IS NOT OLD.currency
      THEN RAISE(ABORT, 'book: an account keeps its branch and currency')
    WHEN TYPEOF(NEW.overdraft_limit_minor) <> 'integer' OR NEW.overdraft_limit_minor < 0
      THEN RAISE(ABORT, 'book: an overdraft limit is a whole amount')
    WHEN NEW.held_minor IS NOT OLD.held_minor
      AND NEW.held_minor IS NOT (SELECT COALESCE(SUM(amount_minor), 0) FROM holds
                                 WHERE account_id = NEW.account_id AND released_at IS NULL)
      THEN RAISE(ABORT, 'book: what is held is the sum of its holds')
    WHEN (NEW.booked_minor IS NOT OLD.booked_minor OR NEW.lines IS NOT OLD.lines)
      AND (NEW.lines IS NOT (SELECT MAX(line_no) FROM postings WHERE account_id = NEW.account_id)
           OR NEW.booked_minor IS NOT (SELECT balance_minor FROM postings
                                       WHERE account_id = NEW.account_id
                                       AND line_no = NEW.lines))
      THEN RAISE(ABORT, 'book: a balance is what its last line says')
  END;
END;
-- next
CREATE TRIGGER balances_no_delete BEFORE DELETE ON balances
BEGIN SELECT RAISE(ABORT, 'book: balances are never deleted'); END;
-- next
CREATE TRIGGER holds_place BEFORE INSERT ON holds
BEGIN
  SELECT CASE
    WHEN EXISTS (SELECT 1 FROM holds WHERE id = NEW.id)
      OR NEW.released_at IS NOT NULL OR NEW.released_by IS NOT NULL
      OR TYPEOF(NEW.amount_minor) <> 'integer' OR NEW.amount_minor <= 0
      THEN RAISE(ABORT, 'book: a hold starts new, for a whole amount')
    WHEN NOT EXISTS (
      SELECT 1 FROM balances WHERE account_id = NEW.account_id
      AND booked_minor - held_minor - NEW.amount_minor >= -overdraft_limit_minor)
      THEN RAISE(ABORT, 'book: insufficient funds')
  END;
END;
-- next
CREATE TRIGGER holds_placed AFTER INSERT ON holds
BEGIN
  SELECT RAISE(ABORT, 'book: holds count from one') WHERE NEW.id < 1;
  UPDATE balances SET held_minor = held_minor + NEW.amount_minor
  WHERE account_id = NEW.account_id;
END;
-- next
CREATE TRIGGER holds_release_once BEFORE UPDATE ON holds
WHEN OLD.released_at IS NOT NULL OR NEW.released_at IS NULL OR NEW.released_by IS NULL
  OR NEW.id IS NOT OLD.id OR NEW.account_id IS NOT OLD.account_id
  OR NEW.amount_minor IS NOT OLD.amount_minor OR NEW.reason IS NOT OLD.reason
  OR NEW.placed_at IS NOT OLD.placed_at OR NEW.placed_by IS NOT OLD.placed_by
BEGIN SELECT RAISE(ABORT, 'book: a hold is released once'); END;
-- next
CREATE TRIGGER holds_released AFTER UPDATE ON holds
BEGIN
  UPDATE balances SET held_minor = held_minor - NEW.amount_minor
  WHERE account_id = NEW.account_id;
END;
-- next
CREATE TRIGGER holds_no_delete BEFORE DELETE ON holds
BEGIN SELECT RAISE(ABORT, 'book: holds are never deleted'); END;
-- next
CREATE TRIGGER floor_waivers_start_open BEFORE INSERT ON floor_waivers
WHEN NEW.closed_at IS NOT NULL OR NEW.lowest_minor IS NOT NULL OR NEW.channel IS NOT 'import'
  OR EXISTS (SELECT 1 FROM floor_waivers WHERE id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM balances WHERE account_id = NEW.account_id)
BEGIN SELECT RAISE(ABORT, 'book: an import opens a waiver and closes it'); END;
-- next
CREATE TRIGGER floor_waivers_numbered AFTER INSERT ON floor_waivers
WHEN NEW.id < 1
BEGIN SELECT RAISE(ABORT, 'book: waivers count from one'); END;
-- next
CREATE TRIGGER floor_waivers_close_once BEFORE UPDATE ON floor_waivers
WHEN OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL
  OR NEW.id IS NOT OLD.id OR NEW.account_id IS NOT OLD.account_id
  OR NEW.channel IS NOT OLD.channel OR NEW.source IS NOT OLD.source
  OR NEW.granted_at IS NOT OLD.granted_at OR NEW.granted_by IS NOT OLD.granted_by
BEGIN SELECT RAISE(ABORT, 'book: a waiver is closed once'); END;
-- next
CREATE TRIGGER floor_waivers_no_delete BEFORE DELETE ON floor_waivers
BEGIN SELECT RAISE(ABORT, 'book: waivers are never deleted'); END;
-- next
CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail
BEGIN SELECT RAISE(ABORT, 'trail: records are never changed'); END;
-- next
CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail
BEGIN SELECT RAISE(ABORT, 'trail: records are never deleted'); END;
-- next
CREATE TRIGGER trail_no_replace BEFORE INSERT ON trail
WHEN EXISTS (SELECT 1 FROM trail WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'trail: records are never changed'); END;
-- next
-- Before the row is there, an id that is to be made reads -1: no row may really have it.
CREATE TRIGGER trail_numbered AFTER INSERT ON trail
WHEN NEW.id < 1
BEGIN SELECT RAISE(ABORT, 'trail: records count from one'); END;
-- next
CREATE TRIGGER seals_no_update BEFORE UPDATE ON seals
BEGIN SELECT RAISE(ABORT, 'book: seals are never changed'); END;
-- next
CREATE TRIGGER seals_no_delete BEFORE DELETE ON seals
BEGIN SELECT RAISE(ABORT, 'book: seals are never deleted'); END;
-- next
CREATE TRIGGER seals_no_replace BEFORE INSERT ON seals
WHEN EXISTS (SELECT 1 FROM seals WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'book: seals are never changed'); END;
-- next
CREATE TRIGGER seal_leaves_no_update BEFORE UPDATE ON seal_leaves
BEGIN SELECT RAISE(ABORT, 'book: seals are never changed'); END;
-- next
CREATE TRIGGER seal_leaves_no_delete BEFORE DELETE ON seal_leaves
BEGIN SELECT RAISE(ABORT, 'book: seals are never deleted'); END;
-- next
CREATE TRIGGER seal_leaves_no_replace BEFORE INSERT ON seal_leaves
WHEN EXISTS (SELECT 1 FROM seal_leaves WHERE entry_id = NEW.entry_id)
BEGIN SELECT RAISE(ABORT, 'book: seals are never changed'); END;
