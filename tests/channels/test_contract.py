"""What every channel must do, whichever it is."""

import json
import logging
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from schemas.codelists import Status
from streams import channels
from streams.channels import CHANNELS
from streams.channels.base import Delivered, Message, Outcome, Recipient, Retry
from tests.channels.builders import ABOUT, SECRET, alert, exercise, message, surroundings, webhook

NOT_CHANNELS = {"base", "cap", "decide", "dispatcher"}


class Under(NamedTuple):
    """A recipient under test: what it has delivered, and how to break its way."""

    recipient: Recipient
    texts: Callable[[], list[str]]
    break_it: Callable[[], None]


@pytest.fixture(params=[channel.name for channel in CHANNELS])
def under(request, tmp_path, receiver):
    said: list[str] = []
    every: dict[str, dict[str, Any]] = {
        "console": {"console": True},
        "file": {"console": False, "out_dir": "out"},
        "webhook": {"console": False, "webhooks": webhook(receiver.url, exercise=True)},
    }
    settings = every[request.param]
    around = surroundings(tmp_path, said, **settings)
    broken: list[bool] = []

    def show(line: str) -> None:
        if broken:
            raise BrokenPipeError(32, "Broken pipe")
        said.append(line)

    (recipient,) = [
        one for channel in CHANNELS for one in channel.recipients(around._replace(say=show))
    ]
    assert recipient.channel == request.param

    def texts() -> list[str]:
        files = sorted(tmp_path.glob("out/*.xml"))
        return [
            *said,
            *(path.read_text(encoding="utf-8") for path in files),
            *(body.decode() for bodies in receiver.bodies.values() for body in bodies),
        ]

    def break_it() -> None:
        broken.append(True)
        (tmp_path / "out").write_text("a file where the folder should be")
        receiver.shutdown()
        receiver.server_close()

    yield Under(recipient, texts, break_it)
    recipient.close()


def test_every_module_of_the_folder_is_registered_or_known_to_be_none():
    modules = {one.name for one in pkgutil.iter_modules(channels.__path__)} - NOT_CHANNELS
    assert {channel.name for channel in CHANNELS} == modules
    assert [one.name for one in CHANNELS if one.outward] == ["webhook"]
    assert all(one.about for one in CHANNELS)


def test_it_delivers_and_names_the_key_and_the_title(under):
    assert isinstance(under.recipient.send(message()), Delivered)
    (text,) = under.texts()
    assert "delivery-1" in text
    assert "M 7.8: 1 of ours" in text
    assert "EXERCISE" not in text


def test_the_same_message_again_is_the_same_text(under):
    outcomes: list[Outcome] = [under.recipient.send(message()) for _ in range(2)]
    assert [type(one) for one in outcomes] == [Delivered, Delivered]
    assert len(set(under.texts())) == 1


def test_an_exercise_is_marked_exactly_once_in_the_headline(under):
    for status, title in ((Status.EXERCISE, "Dam broken"), (Status.TEST, "Dam broken")):
        under.recipient.send(message(key=f"k-{status}", alert=alert(title=title, status=status)))
    under.recipient.send(message(key="k-marked", alert=exercise()))
    text = "\n".join(under.texts())
    assert "EXERCISE Dam broken" in text
    assert "TEST Dam broken" in text
    assert "EXERCISE M 7.8: 2 of ours" in text
    assert "EXERCISE EXERCISE" not in text


def test_a_late_alert_says_so(under):
    under.recipient.send(message(late_s=7500))
    (text,) = under.texts()
    assert "late by 2 h 5 min" in text or '"late_s":7500' in text


def test_a_title_from_outside_can_do_no_harm(under):
    title = "\x1b[2J\x00 <b>&]]> \u202e\ud7ff a\nb"
    assert isinstance(under.recipient.send(message(alert=alert(title=title))), Delivered)
    (text,) = under.texts()
    # JSON carries the title as it is, and beside it the line to show.
    shown = json.loads(text)["headline"] if text.startswith("{") else text
    assert not {"\x1b", "\x00", "\u202e"} & set(shown)


def test_what_fails_is_to_be_tried_again_and_nothing_secret_is_said(under, caplog):
    caplog.set_level(logging.DEBUG)
    under.break_it()
    outcome = under.recipient.send(message())
    assert isinstance(outcome, Retry)
    assert under.texts() == []
    heard = outcome.why + caplog.text
    assert SECRET not in heard
    assert "s3cr3t" not in heard
    assert "127.0.0.1" not in outcome.why


def test_no_log_line_holds_a_secret_when_it_works(under, caplog):
    caplog.set_level(logging.DEBUG)
    outcome = under.recipient.send(message())
    assert isinstance(outcome, Delivered)
    assert SECRET not in caplog.text + outcome.detail + repr(under.recipient.to)
    assert "s3cr3t" not in caplog.text + outcome.detail


def test_a_look_up_tells_this_very_message_from_others(under):
    if under.recipient.lookup is None:
        assert under.recipient.channel in {"console", "webhook"}
        return
    lookup = under.recipient.lookup
    assert not lookup(message())
    under.recipient.send(message())
    assert lookup(message())
    assert not lookup(message(late_s=7500))
    assert not lookup(message(key="delivery-2"))


def test_it_may_know_nothing_about_the_situation(under):
    bare: Message = message(about=ABOUT._replace(title=None, hazard=None, zones=()))
    assert isinstance(under.recipient.send(bare), Delivered)
    assert len(under.texts()) == 1


def test_files_are_for_the_owners_eyes_and_a_repeat_leaves_one(tmp_path):
    around = surroundings(tmp_path, [], console=False, out_dir="out")
    (recipient,) = CHANNELS[1].recipients(around)
    recipient.send(message())
    Path(tmp_path / "out" / "delivery-1.unfinished").write_text("as a kill leaves it")
    recipient.send(message())
    (file,) = (tmp_path / "out").iterdir()
    assert file.name == "delivery-1.xml"
    assert file.stat().st_mode & 0o777 == 0o600
