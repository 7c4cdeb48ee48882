"""The outside world for tests, and all of it real: a PostgreSQL, a mail server, a browser."""
