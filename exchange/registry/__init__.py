"""The schema registry: Confluent's interface over `_schemas`, strict about who owns what; and its client."""

from exchange.registry.app import build_app
from exchange.registry.cache import SchemaCache
from exchange.registry.client import Registration, RegistryClient
from exchange.registry.ownership import OpenWrites, SignedWrites
from exchange.registry.ports import Authenticator, SchemaStore
from exchange.registry.service import RegistryService
from exchange.registry.store_kafka import KafkaSchemaStore, schemas_topic

__all__ = [
    "Authenticator",
    "KafkaSchemaStore",
    "OpenWrites",
    "Registration",
    "RegistryClient",
    "RegistryService",
    "SchemaCache",
    "SchemaStore",
    "SignedWrites",
    "build_app",
    "schemas_topic",
]
