"""An inter-agency data exchange bus: signed Avro events, consent-checked lookups, a proof of every use."""

__version__ = "0.1.0"
