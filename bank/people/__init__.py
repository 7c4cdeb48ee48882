"""Who is who: branches, identity, sessions, customers."""
