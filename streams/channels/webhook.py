"""Webhooks: every alert as signed JSON, by HTTP POST.

Signed as the Standard Webhooks specification says (webhook-id,
webhook-timestamp, webhook-signature), so that receivers find libraries for
it; the key stands in Idempotency-Key as well. Redirects are not followed,
proxies of the environment not used, and the answer's body is not read. What
is said about a failure is our own words: an address can hold a token.
"""

import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus

import httpx
import msgspec

from streams.channels.base import (
    Channel,
    Delivered,
    Message,
    Outcome,
    Recipient,
    Refused,
    Retry,
    Surroundings,
    headline,
)
from streams.delivery import About
from streams.errors import BadInputError
from streams.sections import WebhookSettings

RETRY_AFTER_CEILING_S = 3_600.0
"""Longest pause a receiver can ask for; then it is asked again."""

MIN_SECRET_BYTES = 16
"""A shorter secret can be guessed."""

UNHEARD = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""What a gateway answers that has not heard what the receiver made of it."""

AGAIN = frozenset({408, 425, 429})
"""Answers below 500 that say "later" and not "never" (RFC 9110, 8470, 6585)."""

_encoder = msgspec.json.Encoder(order="deterministic")


def body_of(message: Message) -> bytes:
    """Return the JSON that is sent; the same message gives the same bytes."""
    about: About = message.about
    return _encoder.encode(
        {
            "type": "rollcall.alert",
            "version": 1,
            "delivery_id": message.key,
            "intent": message.alert.intent,
            "status": message.alert.status,
            "headline": headline(message),
            "late_s": message.late_s,
            "sent_at": message.sent_at,
            "use_by_at": message.use_by_at,
            "corrects": message.corrects,
            "alert": message.alert,
            "about": {"title": about.title, "hazard": about.hazard},
        }
    )


def signature(secret: bytes, key: str, timestamp: str, body: bytes) -> str:
    """Return the signature header over key, time and body."""
    signed = b".".join((key.encode(), timestamp.encode(), body))
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def secret_key(said: bytes, name: str) -> bytes:
    """Return the key of a secret: what is after whsec_ as base64, else the bytes."""
    prefix = b"whsec_"
    try:
        key = base64.b64decode(said[len(prefix) :], validate=True) if said[:6] == prefix else said
    except binascii.Error as error:
        what = f"the secret of webhook {name} begins with whsec_ and is no base64 after it"
        raise BadInputError(what, hint="copy it again from the receiver") from error
    if len(key) < MIN_SECRET_BYTES:
        what = f"the secret of webhook {name} is shorter than {MIN_SECRET_BYTES} bytes"
        raise BadInputError(what, hint="make one with `openssl rand -hex 32`")
    return key


def judge(status: int, retry_after: str | None, now: datetime) -> Outcome:
    """Return what an answer means."""
    if 200 <= status < 300:
        return Delivered(f"HTTP {status}")
    if status in AGAIN or status >= 500:
        return Retry(f"HTTP {status}", retry_after_s(retry_after, now), status in UNHEARD)
    if 300 <= status < 400:
        return Refused(f"HTTP {status}: it redirects; put its real address into the settings")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Refused(f"HTTP {status}: compare the secret with the receiver's")
    return Refused(f"HTTP {status}: the receiver will not have it; look at its log")


def retry_after_s(text: str | None, now: datetime) -> float | None:
    """Return the pause asked for, in seconds or as a date (RFC 9110, 10.2.3)."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        asked_s = float(text)
    else:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, OverflowError, TypeError):
            return None
        asked_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(asked_s, 0.0), RETRY_AFTER_CEILING_S)


def in_words(error: httpx.HTTPError, timeout_s: float) -> Retry:
    """Return what a failed request means; nothing of the error's own text."""
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return Retry(f"no connection within {timeout_s:g} s")
    if isinstance(error, httpx.ConnectError):
        return Retry("no connection: the receiver cannot be reached")
    if isinstance(error, httpx.TimeoutException):
        return Retry(f"no answer within {timeout_s:g} s", doubt=True)
    return Retry(f"the connection was lost ({type(error).__name__})", doubt=True)


def send(
    client: httpx.Client,
    settings: WebhookSettings,
    secret: bytes,
    wall: Callable[[], datetime],
    message: Message,
) -> Outcome:
    """Post one message."""
    body = body_of(message)
    timestamp = str(int(wall().timestamp()))
    headers = {
        "content-type": "application/json",
        "user-agent": "Rollcall/0.2",
        "idempotency-key": message.key,
        "webhook-id": message.key,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(secret, message.key, timestamp, body),
    }
    try:
        with client.stream("POST", settings.url, content=body, headers=headers) as response:
            return judge(response.status_code, response.headers.get("retry-after"), wall())
    except httpx.HTTPError as error:
        return in_words(error, settings.timeout_s)
    except httpx.InvalidURL:
        return Refused("its address is not valid; correct it in the settings")


def recipients(surroundings: Surroundings) -> list[Recipient]:
    """Return a recipient for every webhook of the settings, in their order."""
    # httpx tells every address at INFO, and an address can hold a token.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return [_recipient(surroundings, *item) for item in surroundings.settings.webhooks.items()]


def _recipient(surroundings: Surroundings, name: str, settings: WebhookSettings) -> Recipient:
    secret = secret_key(surroundings.secret(settings.secret_file), name)
    client = httpx.Client(timeout=settings.timeout_s, follow_redirects=False, trust_env=False)
    return Recipient(
        CHANNEL.name,
        name,
        outward=True,
        exercise=settings.exercise,
        send=partial(send, client, settings, secret, surroundings.wall),
        audiences=settings.audiences,
        close=client.close,
    )


CHANNEL = Channel("webhook", "signed JSON by HTTP POST", outward=True, recipients=recipients)
