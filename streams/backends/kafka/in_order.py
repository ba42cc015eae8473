"""Faust's transport for agents that acknowledge everything in the order they read it.

Faust keeps account of offsets that hold no record, such as the marks of a
transaction, and commits past one of them at each commit: behind a publisher
who writes in transactions it falls back for hours. Where acknowledgements come
in order, none of that is needed: what was acknowledged last is how far it is.
"""

from faust.transport.drivers import aiokafka
from faust.types import TP


class Consumer(aiokafka.Consumer):
    """Commits the offset behind the last record that was acknowledged."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Take no note of offsets without a record."""

    def _new_offset(self, tp: TP) -> int | None:
        acked = self._acked[tp]
        if not acked:
            return None
        newest = max(acked)
        self._acked_index[tp].difference_update(acked)
        acked.clear()
        return newest + 1


class Transport(aiokafka.Transport):
    """The transport of aiokafka with such a consumer."""

    Consumer = Consumer
