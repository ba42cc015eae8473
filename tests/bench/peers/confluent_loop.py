"""The least that reads check-ins with confluent-kafka: decode, count by person, commit."""

from confluent_kafka import Consumer
from counted import Count, asked

BATCH = 10_000

if __name__ == "__main__":
    wanted = asked()
    consumer = Consumer(
        {
            "bootstrap.servers": wanted.bootstrap,
            "group.id": wanted.group,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([wanted.topic])
    count = Count(wanted.records)
    while not count.complete:
        messages = consumer.consume(BATCH, 1.0)
        for message in messages:
            count.add(message.value())
        if messages:
            consumer.commit(asynchronous=False)
    consumer.close()
    count.tell()
