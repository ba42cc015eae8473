"""The least that reads check-ins with Faust: one agent; decode, count by person."""

import asyncio
import tempfile

import faust
from counted import Count, asked

if __name__ == "__main__":
    wanted = asked()
    app = faust.App(
        wanted.group,
        broker=f"kafka://{wanted.bootstrap}",
        broker_commit_interval=1.0,
        broker_session_timeout=10.0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        value_serializer="raw",
        datadir=tempfile.mkdtemp(),
    )
    count = Count(wanted.records)
    over = asyncio.Event()

    @app.agent(app.topic(wanted.topic, value_serializer="raw"))
    async def add(stream):
        async for body in stream:
            count.add(body)
            if count.complete:
                over.set()

    async def main() -> None:
        starting = asyncio.ensure_future(app.start())
        await over.wait()
        count.tell()
        await app.stop()
        starting.cancel()

    asyncio.run(main())
