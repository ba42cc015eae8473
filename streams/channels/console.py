"""The console: one line for every alert on the standard output of the process."""

from functools import partial

from streams.channels.base import (
    Channel,
    Delivered,
    Message,
    Outcome,
    Recipient,
    Retry,
    Surroundings,
    headline,
    lateness,
)
from streams.printable import one_line


def line(message: Message) -> str:
    """Return the line: time, severity, what, how late, and the key."""
    alert = message.alert
    late = lateness(message)
    parts = [
        alert.raised_at.strftime("%Y-%m-%d %H:%M:%SZ"),
        one_line(alert.severity),
        headline(message),
        *([f"({late})"] if late else []),
        message.key,
    ]
    return "  ".join(parts)


def _send(surroundings: Surroundings, message: Message) -> Outcome:
    try:
        surroundings.say(line(message))
    except OSError as error:
        return Retry(f"the standard output failed: {error.strerror or type(error).__name__}")
    return Delivered("printed")


def recipients(surroundings: Surroundings) -> list[Recipient]:
    """Return the console, unless the settings turn it off."""
    if not surroundings.settings.console:
        return []
    send = partial(_send, surroundings)
    return [Recipient(CHANNEL.name, "stdout", outward=False, exercise=True, send=send)]


CHANNEL = Channel("console", "a line on the standard output", outward=False, recipients=recipients)
