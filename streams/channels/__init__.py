"""Channels: the ways out of an alert, one module each.

A channel says what it is in ``CHANNEL`` and makes its recipients from the
settings; ``streams.channels.base`` is the contract, docs/alerts.md the page
for whoever receives.
"""

from streams.channels import console, file, webhook
from streams.channels.base import Channel

CHANNELS: tuple[Channel, ...] = (console.CHANNEL, file.CHANNEL, webhook.CHANNEL)
"""Every channel; a test fails when a module here is not registered."""
