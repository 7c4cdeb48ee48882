-- Guards of the book on PostgreSQL, and the two functions by which the ledger writes.
-- Blocks are separated by a line of two dashes and "next"; {schema} is the schema of the bank's tables,
-- named everywhere because a temporary table of the same name would otherwise be found first.
--
-- An entry and its lines come in one statement (INSERT in a WITH). Statement triggers with transition
-- tables see all of it at once: an entry without lines, or lines without their entry, end there.
-- The plans of the checks must not depend on what the first call of a session looked like (two lines
-- on empty tables, or a batch of thousands), so they go by index, line by line.
CREATE FUNCTION book_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'P0001'; END $$
-- next
-- A refusal inside an expression.
CREATE FUNCTION book_stop(message text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', message USING ERRCODE = 'P0001'; END $$
-- next
CREATE FUNCTION book_check_lines() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
  found record;
  accounts int;
BEGIN
  -- First the balances: that locks their rows, so nothing checked below can move any more. What is
  -- written is checked there: a balance says what the last line of the account says.
  UPDATE {schema}.balances b SET booked_minor = b.booked_minor + d.amount, lines = b.lines + d.n
  FROM (SELECT account_id, SUM(amount_minor) AS amount, COUNT(*) AS n
        FROM fresh WHERE account_id IS NOT NULL GROUP BY account_id) d
  WHERE b.account_id = d.account_id;
  GET DIAGNOSTICS accounts = ROW_COUNT;

  SELECT MAX(CASE
           WHEN e.id IS NULL OR e.txid <> pg_current_xact_id()
             OR f.txid IS DISTINCT FROM pg_current_xact_id()
             THEN 'book: entry is closed'
           WHEN e.booking_date <> f.booking_date OR e.value_date <> f.value_date
             THEN 'book: lines carry the dates of their entry'
           WHEN f.account_id IS NULL AND g.is_control IS DISTINCT FROM false
             THEN 'book: line needs a ledger account that is no control account'
           WHEN f.account_id IS NOT NULL
             AND (b.account_id IS NULL OR b.gl_account_id <> f.gl_account_id
                  OR b.branch_id <> f.branch_id OR b.currency <> f.currency)
             THEN 'book: line does not fit its account' END) AS wrong,
         COUNT(f.account_id) AS account_lines,
         COUNT(*) AS lines, MIN(f.leg) AS first_leg, MAX(f.leg) AS last_leg,
         MIN(f.entry_id) AS first_entry, MAX(f.entry_id) AS last_entry,
         bool_or(g.code = '1900') AS between_branches,
         bool_or(e.reverses_id IS NOT NULL) AS reversal,
         bool_or(f.amount_minor < 0
                 AND f.balance_minor - b.held_minor < -b.overdraft_limit_minor) AS below
  INTO found
  FROM fresh f
  LEFT JOIN {schema}.entries e ON e.id = f.entry_id
  LEFT JOIN {schema}.gl_accounts g ON g.id = f.gl_account_id
  LEFT JOIN {schema}.balances b ON b.account_id = f.account_id;
  IF found.wrong IS NOT NULL THEN RAISE EXCEPTION '%', found.wrong; END IF;

  IF EXISTS (SELECT 1 FROM fresh GROUP BY entry_id, branch_id, currency
             HAVING SUM(amount_minor) <> 0) THEN
    RAISE EXCEPTION 'book: entry does not balance';
  END IF;
  IF found.between_branches THEN
    IF EXISTS (SELECT 1 FROM fresh f JOIN {schema}.gl_accounts g ON g.id = f.gl_account_id
               WHERE g.code = '1900'
               GROUP BY f.entry_id, f.currency HAVING SUM(f.amount_minor) <> 0) THEN
      RAISE EXCEPTION 'book: entry does not balance';
    END IF;
  END IF;
  -- All lines of an entry come at once and count from 1, so a second helping meets the first.
  IF found.first_entry = found.last_entry THEN
    IF found.first_leg <> 1 OR found.last_leg <> found.lines THEN
      RAISE EXCEPTION 'book: entry is closed';
    END IF;
  ELSIF EXISTS (SELECT 1 FROM fresh GROUP BY entry_id
                HAVING MIN(leg) <> 1 OR MAX(leg) <> COUNT(*)) THEN
    RAISE EXCEPTION 'book: entry is closed';
  END IF;
  IF found.below THEN
    IF EXISTS (SELECT 1 FROM fresh f
               JOIN {schema}.entries e ON e.id = f.entry_id
               JOIN {schema}.balances b ON b.account_id = f.account_id
               WHERE f.amount_minor < 0
                 AND f.balance_minor - b.held_minor < -b.overdraft_limit_minor
                 AND NOT (e.channel = 'import' AND EXISTS (
                   SELECT 1 FROM {schema}.floor_waivers w
                   WHERE w.account_id = f.account_id AND w.closed_at IS NULL))) THEN
      RAISE EXCEPTION 'book: insufficient funds';
    END IF;
  END IF;
  -- The last line of each account is proved by its balance; the lines before it, one by one.
  IF found.account_lines <> accounts THEN
    IF EXISTS (SELECT 1 FROM fresh f
               LEFT JOIN {schema}.postings p
                 ON p.account_id = f.account_id AND p.line_no = f.line_no - 1
               WHERE f.account_id IS NOT NULL
                 AND ((f.line_no = 1) <> (p.line_no IS NULL)
                      OR f.balance_minor - f.amount_minor <> COALESCE(p.balance_minor, 0))) THEN
      RAISE EXCEPTION 'book: running balance does not follow';
    END IF;
  END IF;
  IF found.reversal THEN
    IF EXISTS (SELECT 1 FROM {schema}.entries e
               WHERE e.reverses_id IS NOT NULL AND e.id IN (SELECT entry_id FROM fresh)
                 AND EXISTS (SELECT 1 FROM {schema}.postings p
                             WHERE p.entry_id IN (e.id, e.reverses_id)
                             GROUP BY gl_account_id, account_id, branch_id, currency
                             HAVING SUM(amount_minor) <> 0)) THEN
      RAISE EXCEPTION 'book: a reversal has the opposite lines';
    END IF;
  END IF;
  RETURN NULL;
END $$
-- next
CREATE TRIGGER postings_check AFTER INSERT ON postings
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION book_check_lines()
-- next
CREATE FUNCTION book_check_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE first record;
BEGIN
  -- By the id of the transaction readers find what is new: nobody may choose it.
  NEW.txid := pg_current_xact_id();
  IF NEW.channel = '' OR NEW.kind = '' THEN
    RAISE EXCEPTION 'book: an entry names its kind and its channel';
  END IF;
  IF NEW.reverses_id IS NOT NULL THEN
    IF NEW.reason IS NULL OR TRIM(NEW.reason) = '' THEN
      RAISE EXCEPTION 'book: a reversal needs a reason';
    END IF;
    SELECT reverses_id, actor_id INTO first FROM {schema}.entries WHERE id = NEW.reverses_id;
    IF NOT FOUND OR first.reverses_id IS NOT NULL THEN
      RAISE EXCEPTION 'book: a reversal reverses an entry that is none';
    END IF;
    IF first.actor_id = NEW.actor_id THEN
      RAISE EXCEPTION 'book: the poster may not reverse';
    END IF;
  END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER entries_check BEFORE INSERT ON entries
FOR EACH ROW EXECUTE FUNCTION book_check_entry()
-- next
CREATE FUNCTION book_entries_complete() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM fresh e LEFT JOIN {schema}.postings p ON p.entry_id = e.id AND p.leg = 2
             WHERE p.entry_id IS NULL) THEN
    RAISE EXCEPTION 'book: entry needs two lines';
  END IF;
  RETURN NULL;
END $$
-- next
CREATE TRIGGER entries_complete AFTER INSERT ON entries
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION book_entries_complete()
-- next
ALTER TABLE postings ALTER COLUMN txid SET DEFAULT pg_current_xact_id()
-- next
CREATE TRIGGER postings_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: postings are never changed or deleted')
-- next
CREATE TRIGGER entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: entries are never changed or deleted')
-- next
-- What the guards look up must stand still: the chart grows, and names may be improved.
CREATE TRIGGER gl_accounts_keep BEFORE UPDATE ON gl_accounts FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.code <> OLD.code OR NEW.kind <> OLD.kind
      OR NEW.is_control <> OLD.is_control)
EXECUTE FUNCTION book_refuse('book: a ledger account keeps its code and kind')
-- next
CREATE TRIGGER gl_accounts_no_delete BEFORE DELETE OR TRUNCATE ON gl_accounts
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: ledger accounts are never deleted')
-- next
CREATE FUNCTION book_check_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.booked_minor <> 0 OR NEW.held_minor <> 0 OR NEW.lines <> 0
     OR NOT EXISTS (SELECT 1 FROM {schema}.gl_accounts
                    WHERE id = NEW.gl_account_id AND is_control) THEN
    RAISE EXCEPTION 'book: a balance starts empty, on a control account';
  END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER balances_start_empty BEFORE INSERT ON balances
FOR EACH ROW EXECUTE FUNCTION book_check_balance()
-- next
-- A balance says what its last line and its holds say, whoever writes it.
CREATE FUNCTION book_check_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last record;
BEGIN
  IF NEW.booked_minor <> OLD.booked_minor OR NEW.lines <> OLD.lines THEN
    SELECT line_no, balance_minor INTO last FROM {schema}.postings
    WHERE account_id = NEW.account_id ORDER BY account_id DESC, line_no DESC LIMIT 1;
    IF last.line_no IS DISTINCT FROM NEW.lines
       OR last.balance_minor IS DISTINCT FROM NEW.booked_minor THEN
      RAISE EXCEPTION 'book: a balance is what its last line says';
    END IF;
  END IF;
  IF NEW.held_minor <> OLD.held_minor THEN
    IF NEW.held_minor <> (SELECT COALESCE(SUM(amount_minor), 0) FROM {schema}.holds
                          WHERE account_id = NEW.account_id AND released_at IS NULL) THEN
      RAISE EXCEPTION 'book: what is held is the sum of its holds';
    END IF;
  END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER balances_never_edited BEFORE UPDATE ON balances FOR EACH ROW
WHEN (NEW.booked_minor <> OLD.booked_minor OR NEW.lines <> OLD.lines
      OR NEW.held_minor <> OLD.held_minor)
EXECUTE FUNCTION book_check_move()
-- next
CREATE TRIGGER balances_identity BEFORE UPDATE ON balances FOR EACH ROW
WHEN (NEW.account_id <> OLD.account_id OR NEW.gl_account_id <> OLD.gl_account_id
      OR NEW.branch_id <> OLD.branch_id OR NEW.currency <> OLD.currency)
EXECUTE FUNCTION book_refuse('book: an account keeps its branch and currency')
-- next
CREATE TRIGGER balances_no_delete BEFORE DELETE OR TRUNCATE ON balances
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: balances are never deleted')
-- next
-- After the row, not before it: a row that ON CONFLICT drops must not move anything.
CREATE FUNCTION book_move_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moved int;
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE {schema}.balances SET held_minor = held_minor + NEW.amount_minor
    WHERE account_id = NEW.account_id AND NEW.released_at IS NULL AND NEW.released_by IS NULL
      AND booked_minor - held_minor - NEW.amount_minor >= -overdraft_limit_minor;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> 1 THEN
      RAISE EXCEPTION 'book: insufficient funds';
    END IF;
  ELSE
    IF OLD.released_at IS NOT NULL OR NEW.released_at IS NULL OR NEW.released_by IS NULL
       OR (NEW.id, NEW.account_id, NEW.amount_minor, NEW.reason, NEW.placed_at, NEW.placed_by)
          IS DISTINCT FROM
          (OLD.id, OLD.account_id, OLD.amount_minor, OLD.reason, OLD.placed_at, OLD.placed_by) THEN
      RAISE EXCEPTION 'book: a hold is released once';
    END IF;
    UPDATE {schema}.balances SET held_minor = held_minor - NEW.amount_minor
    WHERE account_id = NEW.account_id;
  END IF;
  RETURN NULL;
END $$
-- next
CREATE TRIGGER holds_move AFTER INSERT OR UPDATE ON holds
FOR EACH ROW EXECUTE FUNCTION book_move_hold()
-- next
CREATE TRIGGER holds_no_delete BEFORE DELETE OR TRUNCATE ON holds
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: holds are never deleted')
-- next
CREATE TRIGGER floor_waivers_start_open BEFORE INSERT ON floor_waivers FOR EACH ROW
WHEN (NEW.closed_at IS NOT NULL OR NEW.lowest_minor IS NOT NULL OR NEW.channel <> 'import')
EXECUTE FUNCTION book_refuse('book: an import opens a waiver and closes it')
-- next
CREATE TRIGGER floor_waivers_close_once BEFORE UPDATE ON floor_waivers FOR EACH ROW
WHEN (OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL
      OR (NEW.id, NEW.account_id, NEW.channel, NEW.source, NEW.granted_at, NEW.granted_by)
         IS DISTINCT FROM
         (OLD.id, OLD.account_id, OLD.channel, OLD.source, OLD.granted_at, OLD.granted_by))
EXECUTE FUNCTION book_refuse('book: a waiver is closed once')
-- next
CREATE FUNCTION book_waiver_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM {schema}.floor_waivers WHERE id = NEW.id AND closed_at IS NULL) THEN
    RAISE EXCEPTION 'book: a waiver ends with the transaction that opened it';
  END IF;
  RETURN NULL;
END $$
-- next
CREATE CONSTRAINT TRIGGER floor_waivers_end AFTER INSERT ON floor_waivers
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION book_waiver_closed()
-- next
CREATE TRIGGER floor_waivers_no_delete BEFORE DELETE OR TRUNCATE ON floor_waivers
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: waivers are never deleted')
-- next
CREATE TRIGGER trail_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON trail
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('trail: records are never changed or deleted')
-- next
CREATE TRIGGER seals_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON seals
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: seals are never changed or deleted')
-- next
CREATE TRIGGER seal_leaves_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON seal_leaves
FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('book: seals are never changed or deleted')
-- next
-- How the ledger writes one entry, in one round trip. `p_accounts` are the customer accounts of its
-- lines, each once and ascending, so that two entries never wait for each other in a ring. Lines on an account take branch, currency and
-- control account from its balance row; inter-branch lines are added where a branch does not net.
-- A request that is known already is not posted again but answered with its first entry.
CREATE FUNCTION ledger_post_one(
  p_request text, p_hash text, p_kind text, p_narration text, p_branch bigint,
  p_booking date, p_value date, p_reverses bigint, p_reason text, p_external text,
  p_actor bigint, p_channel text, p_booked_at timestamptz, p_inter_branch bigint, p_currency text,
  p_accounts bigint[], l_gl bigint[], l_account bigint[], l_branch bigint[], l_amount bigint[],
  OUT entry_id bigint, OUT replayed boolean, OUT first_hash text, OUT first_booking date,
  OUT first_booked_at timestamptz)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  given int := cardinality(l_amount);
  l_currency text[] := array_fill(p_currency, ARRAY[given]);
  l_line bigint[] := array_fill(NULL::bigint, ARRAY[given]);
  l_balance bigint[] := array_fill(NULL::bigint, ARRAY[given]);
  refusal text;
  at_home boolean := true;
  card record;
  gap record;
BEGIN
  FOR a IN 1..cardinality(p_accounts) LOOP
    SELECT account_id, gl_account_id, branch_id, currency, booked_minor, lines, held_minor,
           overdraft_limit_minor
    INTO card FROM {schema}.balances WHERE account_id = p_accounts[a] FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      refusal := 'book: no such account';
      EXIT;
    END IF;
    FOR i IN 1..given LOOP
      CONTINUE WHEN l_account[i] IS DISTINCT FROM card.account_id;
      card.lines := card.lines + 1;
      card.booked_minor := card.booked_minor + l_amount[i];
      l_gl[i] := card.gl_account_id;
      l_branch[i] := card.branch_id;
      l_currency[i] := card.currency;
      l_line[i] := card.lines;
      l_balance[i] := card.booked_minor;
      IF l_amount[i] < 0
         AND card.booked_minor - card.held_minor < -card.overdraft_limit_minor THEN
        IF p_channel <> 'import' OR NOT EXISTS (
             SELECT 1 FROM {schema}.floor_waivers w
             WHERE w.account_id = card.account_id AND w.closed_at IS NULL) THEN
          refusal := 'book: insufficient funds';
        END IF;
      END IF;
    END LOOP;
  END LOOP;
  FOR i IN 1..given LOOP
    at_home := at_home AND l_branch[i] = l_branch[1] AND l_currency[i] = l_currency[1];
  END LOOP;
  IF NOT at_home AND refusal IS NULL THEN
    FOR gap IN
      SELECT branch, currency, -SUM(amount) AS amount,
             SUM(SUM(amount)) OVER (PARTITION BY currency) AS rest
      FROM unnest(l_branch, l_currency, l_amount) AS l(branch, currency, amount)
      GROUP BY branch, currency ORDER BY branch, currency
    LOOP
      IF gap.rest <> 0 THEN refusal := 'book: entry does not balance'; END IF;
      CONTINUE WHEN gap.amount = 0;
      l_gl := l_gl || p_inter_branch;
      l_account := l_account || NULL::bigint;
      l_branch := l_branch || gap.branch;
      l_currency := l_currency || gap.currency::text;
      l_amount := l_amount || gap.amount::bigint;
      l_line := l_line || NULL::bigint;
      l_balance := l_balance || NULL::bigint;
    END LOOP;
  END IF;

  IF refusal IS NULL THEN
    entry_id := nextval('{schema}.entries_id_seq');
    WITH made AS (
      INSERT INTO {schema}.entries (id, request_id, content_hash, kind, narration, branch_id,
                                    actor_id, channel, booked_at, booking_date, value_date,
                                    reverses_id, reason, external_id)
      VALUES (entry_id, p_request, p_hash, p_kind, p_narration, p_branch, p_actor, p_channel,
              p_booked_at, p_booking, p_value, p_reverses, p_reason, p_external)
      ON CONFLICT (request_id) DO NOTHING RETURNING id
    )
    INSERT INTO {schema}.postings (entry_id, leg, gl_account_id, account_id, branch_id, currency,
                                   amount_minor, booking_date, value_date, line_no, balance_minor)
    SELECT made.id, l.leg, l.gl, l.account, l.branch, l.currency, l.amount, p_booking, p_value,
           l.line, l.balance
    FROM made, unnest(l_gl, l_account, l_branch, l_currency, l_amount, l_line, l_balance)
      WITH ORDINALITY AS l(gl, account, branch, currency, amount, line, balance, leg);
    IF FOUND THEN
      replayed := false;
      first_hash := p_hash;
      first_booking := p_booking;
      first_booked_at := p_booked_at;
      RETURN;
    END IF;
  END IF;
  -- Also when it could not be booked today: the money it asks for may be what it took then.
  SELECT e.id, true, e.content_hash, e.booking_date, e.booked_at
  INTO entry_id, replayed, first_hash, first_booking, first_booked_at
  FROM {schema}.entries e WHERE e.request_id = p_request;
  IF NOT FOUND THEN RAISE EXCEPTION '%', refusal; END IF;
END $$
-- next
-- The same for a batch: entries and their lines as arrays. `l_entry` of a line counts the entries of
-- this call from 1. Running balances are computed over the entries that are new, in their order.
CREATE FUNCTION ledger_post(
  p_request text[], p_hash text[], p_kind text[], p_narration text[], p_branch bigint[],
  p_booking date[], p_value date[], p_reverses bigint[], p_reason text[], p_external text[],
  p_actor bigint, p_channel text, p_booked_at timestamptz, p_inter_branch bigint,
  l_entry int[], l_gl bigint[], l_account bigint[], l_branch bigint[], l_currency text[],
  l_amount bigint[])
RETURNS TABLE (entry_id bigint, replayed boolean, first_hash text, first_booking date,
               first_booked_at timestamptz)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  ids bigint[] := ARRAY(SELECT nextval('{schema}.entries_id_seq')
                        FROM generate_series(1, cardinality(p_request)));
BEGIN
  -- In account order, so that two batches never wait for each other in a ring.
  PERFORM 1 FROM {schema}.balances b WHERE b.account_id = ANY(l_account)
  ORDER BY b.account_id FOR NO KEY UPDATE;

  WITH made AS (
    INSERT INTO {schema}.entries (id, request_id, content_hash, kind, narration, branch_id,
                                  actor_id, channel, booked_at, booking_date, value_date,
                                  reverses_id, reason, external_id)
    SELECT d.id, d.request, d.hash, d.kind, d.narration, d.branch, p_actor, p_channel,
           p_booked_at, d.booking, d.value, d.reverses, d.reason, d.external
    FROM unnest(ids, p_request, p_hash, p_kind, p_narration, p_branch, p_booking, p_value,
                p_reverses, p_reason, p_external)
      AS d(id, request, hash, kind, narration, branch, booking, value, reverses, reason, external)
    ORDER BY d.request, d.id  -- so that two batches of the same requests do not ring either
    ON CONFLICT (request_id) DO NOTHING
    RETURNING id, booking_date, value_date
  ), given AS MATERIALIZED (
    SELECT made.id, made.booking_date, made.value_date, l.place, l.account, l.amount,
           CASE WHEN l.account IS NULL THEN l.gl
                WHEN b.account_id IS NULL THEN {schema}.book_stop('book: no such account ' || l.account)
                ELSE b.gl_account_id END AS gl,
           COALESCE(b.branch_id, l.branch) AS branch, COALESCE(b.currency, l.currency) AS currency,
           b.lines, b.booked_minor AS booked, b.held_minor - b.overdraft_limit_minor AS least
    FROM unnest(l_entry, l_gl, l_account, l_branch, l_currency, l_amount)
           WITH ORDINALITY AS l(entry, gl, account, branch, currency, amount, place)
    JOIN made ON made.id = ids[l.entry]
    LEFT JOIN {schema}.balances b ON b.account_id = l.account
  ), gaps AS (
    SELECT id, booking_date, value_date, branch, currency, SUM(amount) AS gap,
           SUM(SUM(amount)) OVER (PARTITION BY id, currency) AS rest
    FROM given GROUP BY id, booking_date, value_date, branch, currency HAVING SUM(amount) <> 0
  ), whole AS (
    SELECT id, booking_date, value_date, place, account, amount, gl, branch, currency, lines,
           booked, least FROM given
    UNION ALL
    SELECT id, booking_date, value_date, 1000000000 + branch, NULL,
           CASE WHEN rest = 0 THEN -gap ELSE {schema}.book_stop('book: entry does not balance') END,
           p_inter_branch, branch, currency, NULL, NULL, NULL
    FROM gaps
  ), numbered AS (
    SELECT id, booking_date, value_date, account, amount, gl, branch, currency, least,
           ROW_NUMBER() OVER (PARTITION BY id ORDER BY place, currency) AS leg,
           CASE WHEN account IS NOT NULL THEN
             lines + ROW_NUMBER() OVER (PARTITION BY account ORDER BY id, place) END AS line_no,
           CASE WHEN account IS NOT NULL THEN
             booked + SUM(amount) OVER (PARTITION BY account ORDER BY id, place) END AS balance
    FROM whole
  )
  INSERT INTO {schema}.postings (entry_id, leg, gl_account_id, account_id, branch_id, currency,
                                 amount_minor, booking_date, value_date, line_no, balance_minor)
  SELECT id, leg, gl, account, branch, currency, amount, booking_date, value_date, line_no,
         CASE WHEN amount < 0 AND balance < least
                   AND NOT (p_channel = 'import' AND EXISTS (
                     SELECT 1 FROM {schema}.floor_waivers w
                     WHERE w.account_id = account AND w.closed_at IS NULL))
              THEN {schema}.book_stop('book: insufficient funds') ELSE balance END
  FROM numbered ORDER BY id, leg;

  RETURN QUERY
  SELECT e.id, e.id <> ids[r.n], e.content_hash::text, e.booking_date, e.booked_at
  FROM unnest(p_request) WITH ORDINALITY AS r(request, n)
  JOIN {schema}.entries e ON e.request_id = r.request
  ORDER BY r.n;
END $$
