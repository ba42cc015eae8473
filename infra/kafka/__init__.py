"""Apache Kafka without Docker, for development and tests."""

from infra.kafka.cluster import Access, Cluster

__all__ = ["Access", "Cluster"]
