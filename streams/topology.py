"""Topics, partitions and who owns them; declared once, here.

The partition of a record about a person is murmur2(home) modulo the number of
partitions, the same for Kafka and for the embedded log. The embedded log has
the topics of ``TOPICS``; a cluster has ``PUBLIC`` and ``KEPT`` as well.
"""

from datetime import timedelta
from enum import StrEnum
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

__all__ = [
    "CLUSTER",
    "CONTROL",
    "DEAD_LETTERS",
    "KEPT",
    "OPERATIONS",
    "PUBLIC",
    "SKIPS",
    "SNAPSHOTS",
    "TOPICS",
    "Keeps",
    "Topic",
    "murmur2",
    "partition_of",
    "settings_of",
]

DEAD_LETTERS = "dead-letters"
OPERATIONS = "operations"
CONTROL, SKIPS, SNAPSHOTS = "control", "skips", "snapshots"

MAX_MESSAGE_BYTES = 4 * 1024 * 1024 + 64 * 1024
"""Largest message of a topic: a body of ``ports.MAX_RECORD_BYTES``, key and headers."""

RETENTION = timedelta(days=35)
"""How long records are kept (design 8): logs hold positions of people."""

COMPACTED_WITHIN = timedelta(days=1)
"""When an older value of a compacted topic is gone at the latest."""


class Keeps(StrEnum):
    """What a topic keeps: all for a while, or of every key the newest."""

    ALL = "delete"
    NEWEST = "compact"


class Topic(NamedTuple):
    """One topic: its name, who writes it, whether it has a partition a shard.

    ``messages`` are the types that may stand in it. A record of a public topic
    without headers is taken for the first of them, version 1.
    """

    name: str
    owner: str
    sharded: bool
    about: str
    messages: tuple[str, ...] = ()
    keeps: Keeps = Keeps.ALL


PUBLIC: tuple[Topic, ...] = (
    Topic("registrations", "anyone", True, "stays as filed", ("RegistrationFiled",)),
    Topic("check-ins", "anyone", True, "people's own statements", ("CheckedIn",)),
    Topic("contacts", "anyone", True, "outcomes of calls and visits", ("ContactRecorded",)),
    Topic("reports", "anyone", False, "what sources say of incidents", ("IncidentReported",)),
    Topic("advisories", "anyone", False, "travel advice", ("AdvisoryIssued",)),
    Topic("commands", "anyone", False, "officers' acts", ("CommandIssued",)),
)
"""Topics that whoever may write to the cluster publishes to; MERGE reads them."""

TOPICS: tuple[Topic, ...] = (
    Topic(
        DESK_INPUT,
        "merge",
        False,
        "reports, advisories, commands and ticks for the desk",
        ("IncidentReported", "AdvisoryIssued", "CommandIssued", "Tick", "EngineChanged"),
    ),
    Topic(
        SHARD_INPUT,
        "merge",
        True,
        "all a shard sees: people, zones, situations, ticks",
        (
            *("RegistrationFiled", "CheckedIn", "ContactRecorded", "CommandIssued", "Tick"),
            *("ZoneChanged", "SituationChanged", "LinkChanged", "FactsShared", "EngineChanged"),
            "FaultRaised",
        ),
    ),
    Topic(
        ROOM_INPUT,
        "shard",
        False,
        "tallies, Reached, help requests, advice, commands",
        (
            *("TallyChanged", "Reached", "HelpRequested", "AdvisoryChanged", "SituationChanged"),
            *("CommandIssued", "EngineChanged"),
        ),
    ),
    Topic(
        DESK_OUTPUT,
        "desk",
        False,
        "incidents, advisories, situations, zones as they now are",
        (
            *("IncidentChanged", "AdvisoryChanged", "SituationChanged", "ZoneChanged"),
            "LinkChanged",
        ),
    ),
    Topic(
        SHARD_OUTPUT,
        "shard",
        True,
        "exposures and movements of the ledger",
        ("ExposureOpened", "ExposureChanged", "ExposureClosed", "AccountabilityChanged"),
    ),
    Topic(
        ROOM_OUTPUT,
        "room",
        False,
        "sums with their completeness, alerts",
        ("SituationSummed", "Totals", "AlertRaised", "AlertAcknowledged", "SilenceChanged"),
    ),
    Topic(DEAD_LETTERS, "pump", False, "refused records with their reason", ("MessageRejected",)),
    Topic(
        OPERATIONS,
        "pump",
        False,
        "feed health and faults",
        ("FeedHealthChanged", "FaultRaised"),
    ),
)
"""Topics of the stages, in every log."""

KEPT: tuple[Topic, ...] = (
    Topic(CONTROL, "topics create", False, "the log's clock", keeps=Keeps.NEWEST),
    Topic(SKIPS, "pump", False, "records that were put aside", keeps=Keeps.NEWEST),
    Topic(SNAPSHOTS, "pump", True, "states of the stages, in chunks", keeps=Keeps.NEWEST),
)
"""What the embedded log keeps in tables, and a cluster in compacted topics."""

CLUSTER = (*PUBLIC, *TOPICS, *KEPT)
"""Every topic of a cluster."""


def settings_of(topic: Topic) -> dict[str, str]:
    """Return the settings of a topic, by Kafka's names (Topic Configs).

    Time stamps are the broker's: who publishes cannot say when it came in, and
    the records of a replay are not taken for old ones and deleted at once.
    """
    kept = {
        Keeps.ALL: {"retention.ms": _ms(RETENTION)},
        Keeps.NEWEST: {"max.compaction.lag.ms": _ms(COMPACTED_WITHIN)},
    }[topic.keeps]
    return {
        "cleanup.policy": topic.keeps.value,
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "message.timestamp.type": "LogAppendTime",
        **kept,
    }


def _ms(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))
