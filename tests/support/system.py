"""A whole cluster under test: every role a process of its own, and the command line."""

import json
import re
import signal
from typing import Any

import httpx
from click.testing import CliRunner

from streams.cli import main
from tests.cli.conftest import Rollcall
from tests.support.cluster import environment_of, make_topics, settings_for
from tests.support.running import Process, wait_for

SHARDS = 4
ROLES = {
    "merge": ("merge", "--metrics-port", "0"),
    "write": ("write",),
    "dispatch": ("dispatch",),
}


def iso(at):
    return at.isoformat().replace("+00:00", "Z")


def quake(now):
    """What EMSC said of the great earthquake under Pazarcik, as if it were now."""
    return {
        "event_id": "emsc:20230206_r1:1",
        "source": "emsc",
        "occurred_at": iso(now),
        "chain_id": "emsc:20230206_r1",
        "msg_type": "Alert",
        "hazard": "earthquake",
        "title": "M 7.5 Türkiye-Syria border region",
        "onset_at": iso(now),
        "sent_at": iso(now),
        "revision": "corrects",
        "position": {"lon_deg": 37.08, "lat_deg": 37.17},
        "magnitude": 7.5,
    }


def check_in(number, person_id, now, **fields):
    return {
        "event_id": f"app:{number}",
        "source": "app",
        "occurred_at": iso(now),
        "person_id": person_id,
        "position": {"lon_deg": 37.1, "lat_deg": 37.2, "accuracy_m": 20.0},
        **fields,
    }


NOTHING: dict[str, Any] = {"situations": [], "totals": [], "waiting": None}
"""What is known while the cluster does not answer."""


class System:
    """The processes of a cluster, and its command line."""

    def __init__(self, kafka, postgres, folder, monkeypatch, workers=2, more=None, **to_workers):
        self.settings = settings_for(kafka, folder)
        make_topics(self.settings, SHARDS)
        self.workers = [f"worker-{number}" for number in range(workers)]
        roles = ROLES | (more or {}) | dict.fromkeys(self.workers, ("worker",))
        said = environment_of(self.settings) | {"ROLLCALL_STORE_URL": postgres}
        for name in ("KAFKA_BOOTSTRAP", "KAFKA_PREFIX", "KAFKA_REPLICATION", "STORE_URL"):
            monkeypatch.setenv(f"ROLLCALL_{name}", said[f"ROLLCALL_{name}"])
        self.environment, self.home = said, folder
        self.processes = {
            name: Process(
                folder / name, *words, env=said | (to_workers if words == ("worker",) else {})
            )
            for name, words in roles.items()
        }
        self.rollcall, self.folder = Rollcall(folder), folder / "data"
        self.processes["merge"].wait_for("leads: writes the ticks")
        wait_for(self.settled, "every partition at work, and shared")

    def has(self, name):
        """What a worker works on, as it says itself."""
        mine = set()
        for line in self.processes[name].lines:
            if " goes on at " in line:
                mine.add(line.partition(" goes on")[0])
            elif " is handed over" in line:
                mine.discard(line.partition(" is handed")[0])
        return mine

    def settled(self):
        shares = [self.has(name) for name in self.workers]
        return all(shares) and sum(map(len, shares)) == SHARDS + 2

    def mend_workers(self):
        """Stop the workers, and start them as they are everywhere."""
        for name in self.workers:
            assert self.processes[name].end(signal.SIGTERM, 20) == 0
            self.processes[name].close()
        for name in self.workers:
            folder = self.home / name
            self.processes[name] = Process(folder, "worker", env=self.environment)
        wait_for(self.settled, "every partition at work again, and shared")

    def restart(self, name):
        """Start a role again that has ended, as a supervisor would."""
        self.processes[name].close()
        self.processes[name] = Process(self.home / name, *ROLES[name], env=self.environment)

    def status(self):
        result = CliRunner().invoke(main, ["--data", str(self.folder), "status", "--json"])
        return json.loads(result.stdout) if result.exit_code == 0 else NOTHING

    def lines(self):
        return {name: one.lines[-6:] for name, one in self.processes.items()}

    def end(self):
        codes = {name: one.end(signal.SIGTERM, 20) for name, one in self.processes.items()}
        return {name: code for name, code in codes.items() if code}

    def close(self):
        for one in self.processes.values():
            one.close()

    def metrics_of(self, name):
        """The address of a role's metrics, as it says itself."""
        one = self.processes[name]
        return wait_for(
            lambda: next(filter(None, map(_address, one.lines)), None), f"{name}'s page"
        )

    def healthz(self, name):
        answer = httpx.get(f"http://{self.metrics_of(name)}/healthz", trust_env=False)
        return answer.status_code, answer.json()

    def scrape(self, name):
        answer = httpx.get(f"http://{self.metrics_of(name)}/metrics", trust_env=False)
        assert answer.status_code == 200
        return answer.text


def _address(line):
    found = re.search(r"http://([0-9.:]+)/metrics", line)
    return found and found[1]
