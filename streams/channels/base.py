"""The contract of a channel, and what its messages have in common.

A channel is one module with a ``CHANNEL``: a name, a sentence, whether it
goes **outward** (rings somebody outside of this machine), and a function that
makes its recipients from the settings. A recipient sends one message at a
time and says what came of it: ``Delivered``, ``Retry`` (with a pause, if the
receiver asked for one) or ``Refused`` (repeating it will not help). It raises
nothing on purpose, and no secret and no address may stand in what it says.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from schemas.alert import AlertRaised
from schemas.codelists import Status
from streams.delivery import About
from streams.printable import one_line
from streams.sections import DispatchSettings

LATE_S = 60
"""An alert that is sent this long after it could have been known says so."""


class Message(NamedTuple):
    """What a recipient is given to send.

    ``key`` is the idempotency key. ``late_s`` is how long ago it could have
    been known. ``corrects`` is the key of the delivery that a correction takes
    back, ``corrects_sent_at`` when that was sent. ``uncertain``: an earlier
    attempt may have arrived.
    """

    key: str
    alert: AlertRaised
    about: About
    sent_at: datetime
    use_by_at: datetime
    late_s: int = 0
    corrects: str | None = None
    corrects_sent_at: datetime | None = None
    uncertain: bool = False


class Delivered(NamedTuple):
    """The receiver has it."""

    detail: str = "delivered"


class Retry(NamedTuple):
    """It did not work now; try again.

    ``after_s`` is the pause that the receiver asked for, if it did. ``doubt``:
    it may have arrived all the same.
    """

    why: str
    after_s: float | None = None
    doubt: bool = False


class Refused(NamedTuple):
    """It will not work; do not try again. ``why`` says what to mend."""

    why: str


Outcome = Delivered | Retry | Refused


class Recipient(NamedTuple):
    """One receiver of a channel.

    ``exercise``: it gets what is not Actual too. ``audiences`` empty: all.
    ``lookup`` tells whether exactly this message has arrived; None where the
    channel cannot know.
    """

    channel: str
    name: str
    outward: bool
    exercise: bool
    send: Callable[[Message], Outcome]
    audiences: tuple[str, ...] = ()
    lookup: Callable[[Message], bool] | None = None
    close: Callable[[], None] = lambda: None

    @property
    def to(self) -> tuple[str, str]:
        """Channel and name, as deliveries have it."""
        return self.channel, self.name


class Surroundings(NamedTuple):
    """What recipients are made from.

    ``say`` prints a line on the standard output; ``secret`` reads the secret
    in a file, of the environment if the name is empty, or raises
    ``BadInputError``; ``wall`` is the machine's clock.
    """

    settings: DispatchSettings
    data: Path
    say: Callable[[str], None]
    secret: Callable[[str], bytes]
    wall: Callable[[], datetime]


class Channel(NamedTuple):
    """One way out."""

    name: str
    about: str
    outward: bool
    recipients: Callable[[Surroundings], list[Recipient]]


def headline(message: Message) -> str:
    """Return the alert in one line, marked if it is not Actual."""
    alert = message.alert
    title = one_line(alert.title)
    mark = "" if alert.status is Status.ACTUAL else f"{alert.status.upper()} "
    if title.startswith(mark):
        mark = ""
    corrected = "CORRECTION " if alert.intent == "correction" else ""
    return f"{mark}{corrected}{title}"


def lateness(message: Message) -> str | None:
    """Return in words how late the alert is; None if it is not."""
    if message.late_s < LATE_S:
        return None
    return f"late by {in_words(message.late_s)}"


def in_words(seconds: int) -> str:
    """Return a duration as 2 d 3 h, 2 h 5 min or 3 min."""
    minutes = int(timedelta(seconds=seconds) / timedelta(minutes=1))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
