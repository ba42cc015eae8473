"""Who is let in over HTTP: this machine, and whom the settings name."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from streams.errors import BadInputError
from streams.loopback import Served, bound, refusal, url_of, warning
from streams.sections import PortsSettings
from streams.settings import load


def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def test_a_name_of_the_list_may_ask_and_no_other() -> None:
    listener = bound(0, "a test", "0.0.0.0")  # noqa: S104 - as in a container
    served = Served(
        Starlette(routes=[Route("/", hello)]), listener, "test", ("API", "rollcall-api")
    )
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        asked = [
            "api:8080",
            "API",
            "rollcall-api",
            "localhost",
            "127.0.0.1:1",
            "evil.example",
            "api.evil",
        ]
        codes = [httpx.get(url, headers={"host": host}).status_code for host in asked]
        assert codes == [200, 200, 200, 200, 200, 403, 403]
        assert url_of(listener).startswith("http://0.0.0.0:")
    finally:
        served.stop()


def test_without_a_list_only_this_machine_may_ask() -> None:
    assert refusal("GET", "api:8080", None) == (
        403,
        "host_not_loopback",
        "the Host header does not name this machine",
    )


def test_listening_further_than_this_machine_is_warned_of_in_words() -> None:
    assert warning(PortsSettings().host) is None
    assert warning("0.0.0.0") == (  # noqa: S104 - the address that is warned of
        "listening on 0.0.0.0: whoever reaches it is let in, for there is no login yet"
    )


def test_host_and_names_come_from_the_environment() -> None:
    said = {"ROLLCALL_PORTS_HOST": "0.0.0.0", "ROLLCALL_PORTS_NAMES": '["api"]'}  # noqa: S104 - as above
    ports = load(environ=said).ports
    assert (ports.host, ports.names) == ("0.0.0.0", ("api",))  # noqa: S104 - as above
    for wrong in ("everywhere", "api:8080"):
        with pytest.raises(BadInputError):
            load(environ={"ROLLCALL_PORTS_HOST": wrong})
    with pytest.raises(BadInputError):
        load(environ={"ROLLCALL_PORTS_NAMES": '["*"]'})
