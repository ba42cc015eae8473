"""Orders: valid before they are sent, the same act at every try, answered in words."""

import json
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import socket

import pytest

from streams.errors import BadInputError
from streams.serving.orders import Sent, areas_of, order, outcome_of, refuse_unknown, send
from streams.serving.rows import rows_of
from streams.serving.writer import write_rows
from tests.serving.builders import SITUATION

WHO = {"by": "officer7", "role": "officer", "reason": "rang the post", "status": "Actual"}
SAFE = {"person_id": "a.1", "situation_id": "sit-1", "bucket": "safe"}
SQUARE = {"type": "Polygon", "coordinates": [[[12, 41], [13, 41], [13, 42], [12, 42], [12, 41]]]}


def override(nonce="n1", **more):
    return order(SAFE | more, verb="override", nonce=nonce, **WHO)


def test_an_order_is_ready_for_json_and_has_no_times():
    ready = override()
    wanted = {"source": "dashboard", "verb": "override", **WHO, **SAFE}
    del wanted["status"]  # the default, left out on the wire
    assert {key: ready[key] for key in ready if key != "event_id"} == wanted
    assert json.loads(json.dumps(ready)) == ready
    assert not {"occurred_at", "received_at"} & ready.keys()


def test_the_same_order_with_the_same_nonce_is_one_act():
    assert override() == override()
    assert override()["event_id"] != override("n2")["event_id"]
    assert override()["event_id"] != override(bucket="evacuated")["event_id"]


def test_areas_come_drawn_by_code_and_as_messages_have_them():
    codes = {"kind": "countries", "codes": ["SD"]}
    ready = order(
        {"title": "Riots", "geojson": SQUARE, "countries": ["ITA"], "areas": [codes]},
        verb="declare", nonce="n", **WHO,
    )  # fmt: skip
    kinds = [(one["kind"], one.get("codes")) for one in ready["areas"]]
    assert kinds == [("countries", ["SD"]), ("polygons", None), ("countries", ["IT"])]


@pytest.mark.parametrize(
    ("said", "verb", "what", "hint"),
    [
        ({}, "close", "the command is not valid: close needs situation_id", "`rollcall do --help`"),
        (SAFE | {"bucket": "fine"}, "override", "the command is not valid: Invalid enum value",
         "bucket is one of unaccounted, needs_help, safe,"),
        ({"name": "x"}, "close", "'name' is no key of a command", "keys are title, hazard,"),
        ({"rule": "help_requested", "until": "2023-02-07T00:00:00Z"}, "silence",
         "the command is not valid: a call for help cannot be silenced", "`rollcall do --help`"),
        ({"rule": "x", "until": "2023-02-07T00:00:00"}, "silence",
         "the command is not valid: until has no time zone", "`rollcall do --help`"),
    ],
)  # fmt: skip
def test_an_order_that_is_not_valid_says_why(said, verb, what, hint):
    with pytest.raises(BadInputError) as raised:
        order(said, verb=verb, nonce="n", **WHO)
    assert str(raised.value).startswith(what)
    assert raised.value.hint.startswith(hint)


def test_what_is_no_area_is_said_by_its_name():
    with pytest.raises(BadInputError, match=r"^valley is not an area: turkey is no ISO 3166-1"):
        areas_of(None, "TR,turkey", called="valley")
    with pytest.raises(BadInputError, match="the collection has no features"):
        areas_of({"type": "FeatureCollection", "features": []}, None, called="valley")


def test_an_order_about_something_that_is_not_there_is_refused(store):
    with store.begin() as connection:
        write_rows(connection, rows_of(SITUATION))
    refuse_unknown(store, override())
    with pytest.raises(BadInputError) as raised:
        refuse_unknown(store, override(situation_id="sit-l"))
    assert (str(raised.value), raised.value.hint) == (
        "there is no situation_id sit-l", "did you mean sit-1?",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "body", "outcome", "reason"),
    [
        (202, {"accepted": 1, "duplicate": 0, "conflict": 0, "rejected": []}, "accepted", ""),
        (202, {"accepted": 0, "duplicate": 1, "conflict": 0, "rejected": []}, "duplicate", ""),
        (202, {"accepted": 0, "duplicate": 0, "conflict": 1, "rejected": []}, "refused",
         "the log holds this command with another content already"),
        (422, {"accepted": 0, "rejected": [{"item": "item 1", "code": "x", "reason": "no zone"}]},
         "refused", "no zone"),
        (413, {"code": "too_large", "reason": "the body is over 4 MB"}, "refused",
         "the body is over 4 MB"),
        (503, {"code": "stopping", "reason": "the engine is stopping; send it again"},
         "unreachable", "the engine is stopping; send it again"),
        (500, None, "refused", "the engine answered 500"),
    ],
)  # fmt: skip
def test_an_answer_of_the_engine_is_told_in_words(code, body, outcome, reason):
    said = b"<html>" if body is None else json.dumps(body).encode()
    assert outcome_of("e1", code, said) == Sent(outcome=outcome, event_id="e1", reason=reason)


@contextmanager
def engine_that_takes_all():
    """Yield the address of a server that takes what it is sent, and what it got."""
    got = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, json.loads(body)))
            answer = b'{"accepted":1,"duplicate":0,"conflict":0,"rejected":[]}'
            self.send_response(202)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", got
        finally:
            server.shutdown()
            thread.join()


def test_an_order_is_posted_to_the_commands():
    with engine_that_takes_all() as (api, got):
        said = send(api, override())
    assert (said.outcome, said.taken, said.event_id) == (
        "accepted", True, override()["event_id"],
    )  # fmt: skip
    assert got == [("/v1/commands", override())]


def test_an_engine_that_is_not_there_is_said_to_be_unreachable():
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        api = f"http://127.0.0.1:{free.getsockname()[1]}"
        said = send(api, override())
    assert (said.outcome, said.taken) == ("unreachable", False)
    assert said.reason.startswith(f"the engine does not answer at {api} (")
