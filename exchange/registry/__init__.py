"""The schema registry: Confluent's interface over `_schemas`, strict about who owns what; and its client."""

from exchange.registry.cache import SchemaCache
from exchange.registry.client import Registered, Registration, RegistryClient
from exchange.registry.entities import Reference
from exchange.registry.http import Replicas, build_app
from exchange.registry.linting import Linting
from exchange.registry.ownership import OpenWrites, SignedWrites
from exchange.registry.ports import Authenticator, SchemaStore
from exchange.registry.service import RegistryService
from exchange.registry.store_kafka import KafkaSchemaStore, schemas_topic

__all__ = [
    "Authenticator",
    "KafkaSchemaStore",
    "Linting",
    "OpenWrites",
    "Reference",
    "Registered",
    "Registration",
    "RegistryClient",
    "RegistryService",
    "Replicas",
    "SchemaCache",
    "SchemaStore",
    "SignedWrites",
    "build_app",
    "schemas_topic",
]
