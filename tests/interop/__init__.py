"""What others' software makes of what the exchange writes."""
