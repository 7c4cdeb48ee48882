"""Pages that everybody who is signed in has."""
