"""The console: what it reads, what it adds up, what it shows."""
