"""What the registry tells about itself over HTTP."""

from __future__ import annotations

from exchange import __version__
from exchange.registry.http.answers import Answer, answer
from exchange.registry.http.request import ApiRequest

GROUP = "schema-registry"
"""The name of a registry's replicas together, as Confluent's calls them where nothing else is configured."""


class ServerRoutes:
    """`/` and `/v1/metadata`. `kafka_cluster` is the id of the Kafka cluster that holds `_schemas`."""

    def __init__(self, kafka_cluster: str) -> None:
        self._kafka_cluster = kafka_cluster

    async def root(self, request: ApiRequest) -> Answer:
        """GET and POST /"""
        return answer({})

    async def identity(self, request: ApiRequest) -> Answer:
        """GET /v1/metadata/id"""
        clusters = {"kafka-cluster": self._kafka_cluster, "schema-registry-cluster": GROUP}
        return answer({"id": "", "scope": {"path": [], "clusters": clusters}})

    async def version(self, request: ApiRequest) -> Answer:
        """GET /v1/metadata/version"""
        return answer({"version": __version__, "commitId": ""})
