"""The commands ``dispatch`` and ``export deliveries``."""

import os
import signal
import subprocess
import threading
from contextlib import closing

from streams.backends.sqlite import SqliteLog
from streams.core.stage import ROOM_OUTPUT
from streams.ports import NewRecord
from streams.serving.delivery_log import SqlDeliveryLog
from tests.channels.builders import SCHEMA, SECRET, alert, etree_of
from tests.cli.crisis import scenario
from tests.kills.mortal import ROOT, command


def set_up(rollcall, text):
    rollcall.data.mkdir(exist_ok=True)
    (rollcall.data / "settings.toml").write_text(text)


def test_a_replay_prints_and_writes_but_rings_nobody(rollcall, receiver, monkeypatch):
    monkeypatch.setenv("ROLLCALL_WEBHOOK_SECRET", SECRET)
    set_up(
        rollcall,
        "[thresholds]\naffected_alert = 2\n"
        f"[dispatch]\nout_dir = 'out'\n[dispatch.webhooks.duty]\nurl = '{receiver.url}'\n",
    )
    rollcall("replay", scenario(rollcall))
    said = rollcall("dispatch", "--until-idle")
    printed = [line.split("  ")[:3] for line in said.lines]
    assert printed == [
        ["2023-02-06 01:25:00Z", "critical", "M 7.8 Gaziantep: 2 of ours known to be affected"],
        ["2023-02-06 02:05:00Z", "critical", "ben.1 needs help"],
    ]
    assert receiver.asked == []
    rows = rollcall("export", "deliveries").rows
    assert sorted((one["channel"], one["state"], one["reason"] or "") for one in rows) == [
        ("console", "delivered", ""), ("console", "delivered", ""),
        ("file", "delivered", ""), ("file", "delivered", ""),
        ("webhook", "withheld", "replay"), ("webhook", "withheld", "replay"),
    ]  # fmt: skip
    assert rollcall("export", "deliveries").raw == rollcall("export", "deliveries").raw
    situation = rows[0]["situation_id"]
    assert rollcall("export", "deliveries", "--situation", situation).rows == rows
    drawn = [etree_of(path) for path in sorted((rollcall.data / "out").iterdir())]
    for tree in drawn:
        SCHEMA.assertValid(tree)
    named = "{urn:oasis:names:tc:emergency:cap:1.2}"
    assert {one.text.split(",")[0] for tree in drawn for one in tree.iter(f"{named}areaDesc")} == {
        "M 7.8 Gaziantep"
    }
    assert all(len(list(tree.iter(f"{named}polygon", f"{named}circle"))) for tree in drawn)
    assert SECRET not in said.err + said.out
    assert rollcall("dispatch", "--until-idle").lines == []


def test_where_no_dispatcher_has_run_the_export_says_so(rollcall):
    rollcall("replay", scenario(rollcall))
    said = rollcall("export", "deliveries")
    assert said.out == ""
    assert said.err == "No dispatcher has run here: `rollcall dispatch` sends the alerts.\n"


def test_without_a_log_or_with_another_dispatcher_it_says_what_to_do(rollcall):
    assert "there is no log in" in rollcall("dispatch", "--until-idle", code=3).err
    with (
        closing(SqliteLog.open(rollcall.data, shards=1)),
        closing(SqlDeliveryLog.open(rollcall.data)),
    ):
        refused = rollcall("dispatch", "--until-idle", code=4)
    assert f"in the hands of process {os.getpid()}." in refused.err
    assert "Next: one dispatcher is enough; stop that one." in refused.err


def test_a_webhook_without_a_secret_is_refused_at_the_start(rollcall, receiver):
    with closing(SqliteLog.open(rollcall.data, shards=1)):
        pass
    set_up(rollcall, f"[dispatch.webhooks.duty]\nurl = '{receiver.url}'\n")
    refused = rollcall("dispatch", "--until-idle", code=2)
    assert "a webhook names no secret_file, and ROLLCALL_WEBHOOK_SECRET is not set" in refused.err
    set_up(rollcall, f"[dispatch.webhooks.duty]\nurl = '{receiver.url}'\nsecret_file = 'none'\n")
    assert "the secret_file none cannot be read" in rollcall("dispatch", "--until-idle", code=2).err


def test_it_runs_beside_the_engine_until_told_to_stop(rollcall, receiver):
    receiver.hold = threading.Event()
    secret = rollcall.file("secret", SECRET)
    set_up(
        rollcall,
        f"[dispatch.webhooks.duty]\nurl = '{receiver.url}'\nsecret_file = '{secret}'\n",
    )
    with closing(SqliteLog.open(rollcall.data, shards=1)) as log:
        now = log.clock.now().replace(microsecond=0)
        process = subprocess.Popen(
            command(rollcall.data, "dispatch"), cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        log.append([NewRecord(ROOM_OUTPUT, 0, "a", alert("1", raised_at=now))])
        # The webhook is slow; the console does not wait for it.
        first = process.stdout.readline()
        log.append([NewRecord(ROOM_OUTPUT, 0, "b", alert("2", raised_at=now))])
        second = process.stdout.readline()
        assert "M 7.8: 1 of ours" in first
        assert "M 7.8: 2 of ours" in second
        process.send_signal(signal.SIGTERM)
        receiver.hold.set()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "webhook/duty: delivered (HTTP 200, attempt 1)" in err
    assert err.endswith("1 deliveries to webhook/duty are still pending\n")
