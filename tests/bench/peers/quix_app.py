"""The least that reads check-ins with Quix Streams: one update; decode, count by person.

It runs in an environment of its own (requirements.txt beside this file): it
wants another version of confluent-kafka than Rollcall does.
"""

import tempfile

from counted import Count, asked
from quixstreams import Application

if __name__ == "__main__":
    wanted = asked()
    app = Application(
        broker_address=wanted.bootstrap,
        consumer_group=wanted.group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        state_dir=tempfile.mkdtemp(),
        loglevel="ERROR",
    )
    count = Count(wanted.records)

    def add(body: bytes) -> None:
        count.add(body)
        if count.complete:
            app.stop()

    app.dataframe(app.topic(wanted.topic, value_deserializer="bytes")).update(add)
    app.run()
    count.tell()
