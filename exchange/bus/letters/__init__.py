"""Dead letters: what was refused, kept whole, and brought back (spec 2)."""
