"""The registry's HTTP interface: Confluent's routes over RegistryService, and writes done by the replica that leads."""

from exchange.registry.http.app import build_app
from exchange.registry.http.replicas import Replicas

__all__ = ["Replicas", "build_app"]
