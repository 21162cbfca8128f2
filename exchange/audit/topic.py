"""The topics of audit entries: `_exchange.audit.<member>`, one partition, kept for ever (spec 9)."""

from __future__ import annotations

from exchange.errors import SettingsError
from exchange.ids import AgencyId
from exchange.transport.kafka import KafkaAdmin, TopicSpec
from exchange.trust import Directory

PARTITION = 0
"""The one partition: the log's order is the topic's order."""

_FOR_EVER = "-1"
_SETTINGS = {"retention.ms": _FOR_EVER, "retention.bytes": _FOR_EVER}


def audit_topic(gateway: AgencyId) -> str:
    """Where the gateways of this agency's member write their entries."""
    return f"_exchange.audit.{gateway.member}"


def log_topic(directory: Directory) -> str:
    """The topic whose order the instance's log has.

    Raises SettingsError where the directory has no gateway, or gateways of several members: one log has one topic's
    order in this version.
    """
    topics = sorted({audit_topic(gateway.agency) for gateway in directory.gateways})
    if len(topics) != 1:
        found = ", ".join(topics) or "none, for the directory has no gateway"
        raise SettingsError(f"the audit log takes the entries of one member's gateways; found {found}")
    return topics[0]


async def ensure_audit_topic(bootstrap: str, topic: str, replication: int = 1) -> None:
    """Create the topic where it is missing; raises SettingsError where it is not as the log needs it.

    Raises BrokerUnreachable or TransportError.
    """
    async with KafkaAdmin(bootstrap) as admin:
        await admin.ensure_topics([TopicSpec(topic, replication=replication, settings=_SETTINGS)])
        partitions = (await admin.partitions([topic])).get(topic, 1)
        settings = await admin.settings(topic)
    if partitions != 1:
        raise SettingsError(f"topic {topic} has {partitions} partitions, expected 1: the log's order is its order")
    for name, expected in _SETTINGS.items():
        if settings[name] != expected:
            raise SettingsError(
                f"topic {topic} has {name} {settings[name]}, expected {expected}: audit entries are kept for ever; "
                "change it with Kafka's kafka-configs"
            )
