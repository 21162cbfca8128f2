"""Kafka: the only package that imports aiokafka."""

from exchange.transport.kafka.admin import GroupPosition, KafkaAdmin, TopicSpec, ensure_topics
from exchange.transport.kafka.node import KafkaNode, free_port

__all__ = ["GroupPosition", "KafkaAdmin", "KafkaNode", "TopicSpec", "ensure_topics", "free_port"]
