"""The demo's real input: one legacy database per agency, and the files that put them on the exchange."""
