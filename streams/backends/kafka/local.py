"""What a worker keeps on its own disk: attempts, and its newest snapshots.

Neither is needed to go on elsewhere: another host takes snapshots from the
cluster, and counts attempts anew. Everything is readable by its owner alone.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from streams.backends.kafka.kept import KEPT_SNAPSHOTS, checksum
from streams.ports import Attempt, Snapshot

SNAPSHOT_SUFFIX = ".snapshot"


class _Head(msgspec.Struct, frozen=True, array_like=True):
    offset: int
    engine: str
    digest: str


class Local:
    """The files of one state directory; whoever owns a partition uses its files."""

    def __init__(self, directory: Path) -> None:
        """Use ``directory``, made once there is something to keep."""
        self._directory = directory

    def attempt(self, stage: str, partition: int, first: int, upto: int) -> int:
        """Note an attempt; return how often the same one was begun before.

        Without a flush: it is there to survive the process, not the machine.
        """
        last = self.last_attempt(stage, partition)
        same = last is not None and (last.first, last.upto) == (first, upto)
        earlier = last.times if last is not None and same else 0
        said = msgspec.json.encode((first, upto, earlier + 1))
        self._put(self._attempt_file(stage, partition), said)
        return earlier

    def last_attempt(self, stage: str, partition: int) -> Attempt | None:
        """Return the attempt that was begun and not ended."""
        try:
            said = self._attempt_file(stage, partition).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return Attempt(*msgspec.json.decode(said, type=tuple[int, int, int]))
        except msgspec.DecodeError:  # a power cut can leave a file empty: nothing is known then
            return None

    def forget_attempt(self, stage: str, partition: int) -> None:
        """Remove the attempt."""
        self._attempt_file(stage, partition).unlink(missing_ok=True)

    def save_snapshot(self, stage: str, partition: int, snapshot: Snapshot) -> None:
        """Keep a snapshot, and of the older ones the newest."""
        head = msgspec.json.encode(_Head(snapshot.offset, snapshot.engine, checksum(snapshot.body)))
        self._put(
            self._directory / f"{stage}-{partition}-{snapshot.offset:020}{SNAPSHOT_SUFFIX}",
            head + b"\n" + snapshot.body,
        )
        for old in self._snapshot_files(stage, partition)[KEPT_SNAPSHOTS:]:
            old.unlink(missing_ok=True)

    def snapshots(self, stage: str, partition: int) -> Iterator[Snapshot]:
        """Yield the kept snapshots, newest first, damaged ones marked."""
        for file in self._snapshot_files(stage, partition):
            with suppress(FileNotFoundError):
                yield _read(file)

    def _snapshot_files(self, stage: str, partition: int) -> list[Path]:
        found = self._directory.glob(f"{stage}-{partition}-*{SNAPSHOT_SUFFIX}")
        return sorted(found, reverse=True)

    def _attempt_file(self, stage: str, partition: int) -> Path:
        return self._directory / f"{stage}-{partition}.attempt"

    def _put(self, file: Path, body: bytes) -> None:
        """Write a file whole or not at all."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = file.with_suffix(".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as stream:  # noqa: PTH123 - of a descriptor, for us alone
            stream.write(body)
        unfinished.rename(file)


def _read(file: Path) -> Snapshot:
    """Return a snapshot as its file has it, marked where that is damaged."""
    offset = int(file.stem.rpartition("-")[2])
    line, _, body = file.read_bytes().partition(b"\n")
    try:
        head = msgspec.json.decode(line, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Snapshot(offset, "", b"", intact=False)
    intact = head.offset == offset and checksum(body) == head.digest
    return Snapshot(offset, head.engine, body, intact=intact)
