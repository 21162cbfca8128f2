"""The schema registry under load: `python -m bench.registry`."""
