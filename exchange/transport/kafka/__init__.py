"""Kafka: the only package that imports aiokafka."""

from exchange.transport.kafka.admin import GroupPosition, KafkaAdmin, Replicas, TopicSpec, ensure_topics
from exchange.transport.kafka.batches import BATCH_BYTES, Packed
from exchange.transport.kafka.cluster import KafkaCluster
from exchange.transport.kafka.consumer import PartitionConsumer
from exchange.transport.kafka.encoding import Encoded, encode, encode_bytes, encode_header
from exchange.transport.kafka.failures import is_left_behind
from exchange.transport.kafka.group_consumer import ASSIGNMENT_LOST, GroupConsumer
from exchange.transport.kafka.groups import GroupView, view_group
from exchange.transport.kafka.node import KafkaNode
from exchange.transport.kafka.partitioner import murmur2_all, partition_of, partition_of_hash
from exchange.transport.kafka.producer import IdempotentProducer, Transaction, TransactionalProducer
from exchange.transport.kafka.record import Outgoing, Partition, Polled, Received, Written
from exchange.transport.kafka.table import TableReader, high_watermarks
from exchange.transport.ports import free_port

__all__ = [
    "ASSIGNMENT_LOST",
    "BATCH_BYTES",
    "Encoded",
    "GroupConsumer",
    "GroupPosition",
    "GroupView",
    "IdempotentProducer",
    "KafkaAdmin",
    "KafkaCluster",
    "KafkaNode",
    "Outgoing",
    "Packed",
    "Partition",
    "PartitionConsumer",
    "Polled",
    "Received",
    "Replicas",
    "TableReader",
    "TopicSpec",
    "Transaction",
    "TransactionalProducer",
    "Written",
    "encode",
    "encode_bytes",
    "encode_header",
    "ensure_topics",
    "free_port",
    "high_watermarks",
    "is_left_behind",
    "murmur2_all",
    "partition_of",
    "partition_of_hash",
    "view_group",
]
