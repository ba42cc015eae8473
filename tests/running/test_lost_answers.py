"""An officer's command whose answer was lost is given again, and is one act."""

import shlex
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from streams.engine import ENGINE_FILE
from tests.support.running import running_engine_in

ACT = ("declare", "title=Drill in Ankara", "countries=TR", "--as", "o7", "--reason", "who's asked")


@contextmanager
def answers_lost(data: Path, api: str):
    """Let the engine get what is sent, and let nobody get its answer."""
    to = urlsplit(api)
    path = data / ENGINE_FILE
    said = path.read_text()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def swallow():
            ours, _ = listener.accept()
            with ours, socket.create_connection((to.hostname, to.port)) as engine:
                request = b""
                while not request.endswith(b"}"):
                    request += ours.recv(65536)
                engine.sendall(request)
                assert b" 202 " in engine.recv(65536)

        thread = threading.Thread(target=swallow)
        thread.start()
        path.write_text(said.replace(api, f"http://127.0.0.1:{listener.getsockname()[1]}"))
        yield
        thread.join()
    path.write_text(said)


def typed(hint: str) -> list[str]:
    """Return the words after the data directory that the hint says to type."""
    command = hint.partition("makes no second act of it: `")[2].rpartition("`")[0]
    words = shlex.split(command)
    assert words[:2] == ["rollcall", "--data"]
    return words[3:]


def test_an_act_whose_answer_was_lost_is_given_again_and_stands_once(rollcall):
    with running_engine_in(rollcall.data) as at:
        with answers_lost(rollcall.data, at.api):
            lost = rollcall("do", *ACT, code=10)
        again = typed(lost.err)
        said = rollcall(*again)
        event_id = said.out.partition(":")[0]
        assert said.out == f"{event_id}: duplicate, the running engine carries it out\n"
    said = rollcall(*again)
    assert said.out == (
        f"{event_id}: the log has it already; `rollcall run --until-idle` carries it out\n"
    )
    rollcall("run", "--until-idle")
    assert [one["event_id"] for one in rollcall("export", "commands").rows] == [event_id]
    assert [one["title"] for one in rollcall("export", "situations").rows] == ["Drill in Ankara"]


def test_other_words_are_another_act_even_when_given_again(rollcall):
    with running_engine_in(rollcall.data) as at:
        with answers_lost(rollcall.data, at.api):
            again = typed(rollcall("do", *ACT, code=10).err)
        other = [
            "title=Drill in Izmir" if word == "title=Drill in Ankara" else word for word in again
        ]
        assert "accepted, the running engine" in rollcall(*other).out
    rollcall("run", "--until-idle")
    assert len(rollcall("export", "commands").rows) == 2
