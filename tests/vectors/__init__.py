"""Test vectors of the wire formats, and what writes them."""
