"""The webhook against a real HTTP server on this machine."""

import base64
import json
import socket
import threading
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest

from streams.channels.base import Delivered, Refused, Retry
from streams.channels.webhook import CHANNEL, in_words, judge, secret_key, signature
from streams.errors import BadInputError
from tests.channels.builders import SECRET, WALL, message, signed, surroundings, webhook


@pytest.fixture
def hook(tmp_path, receiver):
    (recipient,) = CHANNEL.recipients(
        surroundings(tmp_path, [], console=False, webhooks=webhook(receiver.url, timeout_s=5))
    )
    yield recipient
    recipient.close()


def test_what_is_sent_is_signed_and_carries_its_key(hook, receiver):
    assert hook.send(message()) == Delivered("HTTP 200")
    ((headers, body),) = receiver.asked
    assert headers["idempotency-key"] == headers["webhook-id"] == "delivery-1"
    assert headers["webhook-timestamp"] == str(int(WALL.timestamp()))
    assert headers["content-type"] == "application/json"
    assert signed(headers, body)
    assert not signed(headers, body + b" ")
    assert not signed(headers | {"webhook-timestamp": "1"}, body)
    said = json.loads(body)
    assert said["alert"]["alert_id"] == "alert-1"
    assert (said["type"], said["version"], said["status"]) == ("rollcall.alert", 1, "Actual")
    assert said["about"] == {"title": "M 7.8 Gaziantep", "hazard": "earthquake"}
    assert SECRET not in str(receiver.asked)


def test_the_signature_is_that_of_standard_webhooks():
    # The example of the specification, standardwebhooks.com.
    key = secret_key(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "duty")
    body = b'{"test": 2432232314}'
    assert signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (204, {}, Delivered("HTTP 204")),
        (429, {"retry-after": "17"}, Retry("HTTP 429", 17.0)),
        (503, {"retry-after": format_datetime(WALL + timedelta(seconds=90))},
         Retry("HTTP 503", 90.0)),
        (503, {"retry-after": "99999999"}, Retry("HTTP 503", 3600.0)),
        (500, {"retry-after": "soon"}, Retry("HTTP 500")),
        (504, {}, Retry("HTTP 504", doubt=True)),
        (408, {}, Retry("HTTP 408")),
        (400, {}, Refused("HTTP 400: the receiver will not have it; look at its log")),
        (401, {}, Refused("HTTP 401: compare the secret with the receiver's")),
        (410, {}, Refused("HTTP 410: the receiver will not have it; look at its log")),
    ],
)  # fmt: skip
def test_what_an_answer_means(hook, receiver, status, headers, expected):
    receiver.answers.append((status, headers))
    assert hook.send(message()) == expected
    assert judge(status, headers.get("retry-after"), WALL) == expected


def test_a_redirect_is_not_followed_nor_repeated(hook, receiver):
    receiver.answers.append((302, {"location": receiver.url + "&elsewhere"}))
    assert hook.send(message()) == Refused(
        "HTTP 302: it redirects; put its real address into the settings"
    )
    assert len(receiver.asked) == 1


def test_a_slow_receiver_leaves_doubt(tmp_path, receiver):
    receiver.hold = threading.Event()
    settings = webhook(receiver.url, timeout_s=0.2)
    (slow,) = CHANNEL.recipients(surroundings(tmp_path, [], webhooks=settings))
    assert slow.send(message()) == Retry("no answer within 0.2 s", doubt=True)
    slow.close()


def test_a_dead_port_leaves_none(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        (dead,) = CHANNEL.recipients(surroundings(tmp_path, [], webhooks=webhook(url)))
        assert dead.send(message()) == Retry("no connection: the receiver cannot be reached")
        dead.close()


def test_a_connection_that_is_cut_leaves_doubt(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def cut() -> None:
            connection, _ = server.accept()
            connection.recv(10)
            connection.close()

        thread = threading.Thread(target=cut)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        (cut_off,) = CHANNEL.recipients(surroundings(tmp_path, [], webhooks=webhook(url)))
        outcome = cut_off.send(message())
        thread.join()
        cut_off.close()
    assert isinstance(outcome, Retry)
    assert outcome.doubt
    assert outcome.why.startswith("the connection was lost")


def test_nothing_of_an_errors_own_text_is_said():
    for kind in (httpx.ConnectError, httpx.ReadTimeout, httpx.ConnectTimeout, httpx.ReadError,
                 httpx.UnsupportedProtocol, httpx.RemoteProtocolError):  # fmt: skip
        assert "s3cr3t" not in in_words(kind("https://x/?token=s3cr3t"), 5.0).why


def test_a_weak_or_broken_secret_is_refused_without_being_repeated():
    with pytest.raises(BadInputError, match="webhook duty is shorter than 16 bytes") as refusal:
        secret_key(b"hunter2", "duty")
    assert "hunter2" not in str(refusal.value)
    with pytest.raises(BadInputError, match="no base64"):
        secret_key(b"whsec_hunter2!", "duty")
    assert secret_key(b"whsec_" + base64.b64encode(SECRET.encode()), "duty") == SECRET.encode()
