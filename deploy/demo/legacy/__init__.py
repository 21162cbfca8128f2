"""One module per agency: the database it has had for years, filled with real or synthetic rows."""
