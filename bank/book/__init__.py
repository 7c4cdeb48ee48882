"""The book: chart of accounts, double-entry ledger, seals."""
