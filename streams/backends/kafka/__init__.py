"""The log on Apache Kafka: the same port as the embedded one, over a cluster."""
