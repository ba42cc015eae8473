"""Topics, partitions and who owns them; declared once, here.

The partition of a record about a person is murmur2(home) modulo the number of
partitions, the same for Kafka and for the embedded log.
"""

from typing import NamedTuple

from streams.core.partition import murmur2, partition_of
from streams.core.stage import (
    DESK_INPUT,
    DESK_OUTPUT,
    ROOM_INPUT,
    ROOM_OUTPUT,
    SHARD_INPUT,
    SHARD_OUTPUT,
)

__all__ = ["DEAD_LETTERS", "OPERATIONS", "TOPICS", "Topic", "murmur2", "partition_of"]

DEAD_LETTERS = "dead-letters"
OPERATIONS = "operations"


class Topic(NamedTuple):
    """One topic: its name, who writes it, whether it has a partition a shard."""

    name: str
    owner: str
    sharded: bool
    about: str


TOPICS: tuple[Topic, ...] = (
    Topic(DESK_INPUT, "merge", False, "reports, advisories, commands and ticks for the desk"),
    Topic(SHARD_INPUT, "merge", True, "all a shard sees: people, zones, situations, ticks"),
    Topic(ROOM_INPUT, "shard", False, "tallies, Reached, help requests, advice, commands"),
    Topic(DESK_OUTPUT, "desk", False, "incidents, advisories, situations, zones as they now are"),
    Topic(SHARD_OUTPUT, "shard", True, "exposures and movements of the ledger"),
    Topic(ROOM_OUTPUT, "room", False, "sums with their completeness, alerts"),
    Topic(DEAD_LETTERS, "pump", False, "refused records with their reason"),
    Topic(OPERATIONS, "pump", False, "feed health and faults"),
)
