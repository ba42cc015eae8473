"""Files: every alert as a CAP 1.2 file in a folder, named by its key.

Written whole under its name or not at all, on disk when it counts as
delivered, for its owner alone. A repeat replaces the same file, so this channel
can look up whether an attempt in doubt has arrived.
"""

import os
from functools import partial
from pathlib import Path

from streams.channels.base import (
    Channel,
    Delivered,
    Message,
    Outcome,
    Recipient,
    Retry,
    Surroundings,
)
from streams.channels.cap import document


def path_of(folder: Path, message: Message) -> Path:
    """Return the file of a message."""
    return folder / f"{message.key}.xml"


def write(folder: Path, sender: str, message: Message) -> Outcome:
    """Write the message; what the machine refuses is tried again."""
    path = path_of(folder, message)
    unfinished = path.with_suffix(".unfinished")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        number = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(number, "wb") as stream:  # noqa: PTH123 - of a descriptor, made for us alone
            stream.write(document(message, sender))
            stream.flush()
            os.fsync(number)
        unfinished.replace(path)
        _sync(folder)
    except OSError as error:
        return Retry(f"the file could not be written: {error.strerror}")
    return Delivered("written")


def is_there(folder: Path, sender: str, message: Message) -> bool:
    """Tell whether the file is there with exactly this content."""
    try:
        return path_of(folder, message).read_bytes() == document(message, sender)
    except OSError:
        return False  # not there, or not readable: it is written again


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def recipients(surroundings: Surroundings) -> list[Recipient]:
    """Return the folder, if the settings name one; relative to the data directory."""
    settings = surroundings.settings
    if not settings.out_dir:
        return []
    folder = surroundings.data / settings.out_dir
    return [
        Recipient(
            CHANNEL.name,
            "out",
            outward=False,
            exercise=True,
            send=partial(write, folder, settings.sender),
            lookup=partial(is_there, folder, settings.sender),
        )
    ]


CHANNEL = Channel(
    "file", "a CAP 1.2 file for every alert in a folder", outward=False, recipients=recipients
)
