"""Publishing: encoded, numbered, sealed, and in one transaction with the position (spec 2 and 3)."""
