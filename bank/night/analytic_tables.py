"""The tables that reports see, and the raw ones behind them: SQL for the bank's DuckDB.

`raw` holds what the feed brought, `whole` the documented tables (reports/README.md)
over the whole bank, and `branch_<id>` the same tables cut down to one branch. A report only ever
names bare tables; which of the schemas it reads is the engine's choice, not the report's.

Where money stands (branch, currency, ledger account, product) takes one integer per posting,
a row of `raw.places`. With its primary key, DuckDB adds up by that integer before it joins.
"""

from typing import Final

# Small tables come whole and are made anew each time: deleted rows would keep their memory.
SMALL: Final = {
    "gl_accounts": (
        "id INTEGER, code VARCHAR, name VARCHAR, kind VARCHAR, is_control BOOLEAN",
        "SELECT id, code, name, kind, is_control FROM incoming",
    ),
    "products": (
        "id INTEGER, code VARCHAR, name VARCHAR, gl_code VARCHAR",
        "SELECT id, code, name, gl_code FROM incoming",
    ),
    "branches": (
        "id INTEGER, ifsc VARCHAR, name VARCHAR",
        "SELECT id, ifsc, name FROM incoming",
    ),
    "customers": (
        "id INTEGER, number VARCHAR, branch_id INTEGER, customer_since DATE",
        "SELECT id, number, branch_id, CAST(created_at AS TIMESTAMP) FROM incoming",
    ),
    "accounts": (
        "id INTEGER, masked VARCHAR, customer_id INTEGER, product_id INTEGER, branch_id INTEGER,"
        " currency VARCHAR, opened_on DATE, status VARCHAR",
        "SELECT id, '•••• ' || last_digits, customer_id, product_id, branch_id, currency,"
        " opened_on, status FROM incoming",
    ),
}

CREATE: Final = """
CREATE SCHEMA raw;
CREATE SCHEMA whole;
CREATE TABLE raw.kinds (id SMALLINT PRIMARY KEY, kind VARCHAR, channel VARCHAR);
CREATE TABLE raw.journal_entries (
    id BIGINT, kind_id SMALLINT, narration VARCHAR, branch_id INTEGER, actor_id INTEGER,
    booked_at TIMESTAMP, booking_date DATE, value_date DATE, reverses_id BIGINT);
CREATE TABLE raw.places (
    id INTEGER PRIMARY KEY, branch_id INTEGER, currency VARCHAR, gl_account_id INTEGER,
    product_id INTEGER);
CREATE TABLE raw.journal_lines (
    entry_id BIGINT, leg SMALLINT, place_id INTEGER, account_id INTEGER, amount_minor BIGINT,
    booking_date DATE, value_date DATE);
CREATE TABLE raw.days (
    booking_date DATE, place_id INTEGER, lines BIGINT, credit_minor BIGINT, debit_minor BIGINT);
"""

EMPTY: Final = """
DELETE FROM raw.journal_entries;
DELETE FROM raw.journal_lines;
DELETE FROM raw.days;
DELETE FROM raw.accounts;
"""
PRODUCT_CHANGED: Final = """
SELECT 1 FROM incoming i JOIN raw.accounts a ON a.id = i.id WHERE a.product_id <> i.product_id
LIMIT 1
"""

VIEWS: Final = {
    "entries": """
        SELECT e.id, k.kind, k.channel, e.narration, e.branch_id, e.actor_id, e.booked_at,
               e.booking_date, e.value_date, e.reverses_id
        FROM raw.journal_entries e JOIN raw.kinds k ON k.id = e.kind_id""",
    "postings": """
        SELECT l.entry_id, l.leg, p.branch_id, p.gl_account_id, l.account_id, p.product_id,
               p.currency, l.amount_minor, l.booking_date, l.value_date
        FROM raw.journal_lines l JOIN raw.places p ON p.id = l.place_id""",
    "daily_totals": """
        SELECT d.booking_date, p.branch_id, p.gl_account_id, p.product_id, p.currency, d.lines,
               d.credit_minor, d.debit_minor
        FROM raw.days d JOIN raw.places p ON p.id = d.place_id""",
    "accounts": "FROM raw.accounts",
    "gl_accounts": "FROM raw.gl_accounts",
    "products": "FROM raw.products",
    "customers": "FROM raw.customers",
    "branches": "FROM raw.branches",
}
TABLES: Final = frozenset(VIEWS)

# What a desk without whole-bank sight gets of each table; a table that is not here it gets whole
# (the chart and the products are the bank's, not a branch's).
OF_BRANCH: Final = {
    "postings": "branch_id = {branch}",
    "daily_totals": "branch_id = {branch}",
    "accounts": "branch_id = {branch}",
    "customers": "branch_id = {branch}",
    "branches": "id = {branch}",
    # An entry belongs to every branch it has a line at.
    "entries": "id IN (SELECT entry_id FROM whole.postings WHERE branch_id = {branch})",
}

ADD_KINDS: Final = """
INSERT INTO raw.kinds
SELECT (SELECT COALESCE(MAX(id), 0) FROM raw.kinds) + ROW_NUMBER() OVER (), kind, channel
FROM (SELECT DISTINCT kind, channel FROM incoming) f
WHERE NOT EXISTS (FROM raw.kinds k WHERE k.kind = f.kind AND k.channel = f.channel)
"""
ADD_ENTRIES: Final = """
INSERT INTO raw.journal_entries
SELECT i.id, k.id, narration, branch_id, actor_id, CAST(booked_at AS TIMESTAMP),
       CAST(booking_date AS DATE), CAST(value_date AS DATE), reverses_id
FROM incoming i JOIN raw.kinds k ON k.kind = i.kind AND k.channel = i.channel
"""
ADD_PLACES: Final = """
INSERT INTO raw.places
SELECT (SELECT COALESCE(MAX(id), 0) FROM raw.places) + ROW_NUMBER() OVER (), f.*
FROM (SELECT DISTINCT i.branch_id, i.currency, i.gl_account_id, a.product_id
      FROM incoming i LEFT JOIN raw.accounts a ON a.id = i.account_id) f
WHERE NOT EXISTS (
    FROM raw.places p
    WHERE p.branch_id = f.branch_id AND p.currency = f.currency
      AND p.gl_account_id = f.gl_account_id AND p.product_id IS NOT DISTINCT FROM f.product_id)
"""
_PLACED: Final = """
FROM incoming i
LEFT JOIN raw.accounts a ON a.id = i.account_id
JOIN raw.places p ON p.branch_id = i.branch_id AND p.currency = i.currency
     AND p.gl_account_id = i.gl_account_id AND p.product_id IS NOT DISTINCT FROM a.product_id
"""
ADD_LINES: Final = f"""
INSERT INTO raw.journal_lines
SELECT i.entry_id, i.leg, p.id, i.account_id, i.amount_minor, CAST(i.booking_date AS DATE),
       CAST(i.value_date AS DATE)
{_PLACED}
"""
_TOTALS: Final = """
COUNT(*) AS lines,
CAST(COALESCE(SUM(amount_minor) FILTER (amount_minor > 0), 0) AS BIGINT) AS credit_minor,
CAST(COALESCE(SUM(amount_minor) FILTER (amount_minor < 0), 0) AS BIGINT) AS debit_minor
"""
# The totals of a few lines are added to their days; after a first reading all are made at once.
TOTALS_OF_LINES: Final = f"""
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT CAST(i.booking_date AS DATE) AS booking_date, p.id AS place_id, {_TOTALS}
{_PLACED} GROUP BY ALL
"""
ADD_TO_DAYS: Final = """
UPDATE raw.days d SET lines = d.lines + f.lines, credit_minor = d.credit_minor + f.credit_minor,
                      debit_minor = d.debit_minor + f.debit_minor
FROM fresh f WHERE d.booking_date = f.booking_date AND d.place_id = f.place_id
"""
ADD_NEW_DAYS: Final = """
INSERT INTO raw.days
FROM fresh f WHERE NOT EXISTS (
    FROM raw.days d WHERE d.booking_date = f.booking_date AND d.place_id = f.place_id)
"""
ALL_DAYS: Final = f"""
INSERT INTO raw.days
SELECT booking_date, place_id, {_TOTALS} FROM raw.journal_lines GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 - constant SQL
