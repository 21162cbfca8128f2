"""Subscribing: verified events, batch by batch, from a place that is never lost (spec 3)."""
