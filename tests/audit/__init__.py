"""The transparency log: entries, tiles, receipts, and what happens when things end in the middle."""
