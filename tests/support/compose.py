"""docker-compose.yml without Docker: its services as processes of this machine.

Each service has a loopback address of its own, so ports, command lines, variables
and health checks are those of the file. Put in place of the container's are only
names of hosts (``kafka:9092``) and directories (``/data``).
"""

import os
import re
import signal
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path
from uuid import uuid4

import yaml

from infra.kafka import jars
from infra.postgres import Postgres
from tests.support import dockerfile
from tests.support.running import wait_for

ROOT = dockerfile.ROOT
COMPOSE = ROOT / "docker-compose.yml"
LEFT_TO = re.compile(r"\$\{(?P<name>\w+):-(?P<otherwise>[^}]*)\}")
OURS = "rollcall:"
PATIENCE_S = 150.0
STOP_S = 20.0

TOOLS = {"kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand"}
"""The Java program behind each script of Kafka that a health check names."""

ENTRYPOINTS = {"prom/prometheus": ["prometheus"]}
"""What an image of others begins its command line with."""


def text(environ=None):
    """Return the file as `docker compose` reads it: what is left to the operator, put in."""
    given = environ or {}
    return LEFT_TO.sub(
        lambda found: given.get(found["name"]) or found["otherwise"], COMPOSE.read_text("utf-8")
    )


def read(environ=None):
    return yaml.safe_load(text(environ))


def conditions(service):
    """Return on whom a service waits, and for what."""
    return {name: one["condition"] for name, one in service.get("depends_on", {}).items()}


class Stand:
    """The services of the file on this machine; each knows the others by name."""

    def __init__(self, folder, postgres_folder, **environ):
        self.said = read(environ)["services"]
        self.folder, self.processes = folder, {}
        net = f"127.{uuid4().int % 200 + 20}.{uuid4().int % 250}"
        self.addresses = {name: f"{net}.{at}" for at, name in enumerate(self.said, 2)}
        program, *options = self.said["postgres"]["command"]
        assert program == "postgres"
        self.postgres = Postgres(postgres_folder, fsync=False, options=options)
        (folder / "secrets").mkdir()

    def home(self, name):
        return self.folder / name

    def directories(self, name):
        """Return where a container's own directories are here."""
        service = self.said[name]
        own = [one.split(":")[1] for one in service.get("volumes", ())]
        own += [one.partition(":")[0] for one in service.get("tmpfs", ())]
        return {"/run/secrets": self.folder / "secrets"} | {
            one: self.home(name) / one.strip("/") for one in own
        }

    def placed(self, name, said):
        """Return a word of a service with the hosts and directories of this machine."""
        own = dict.fromkeys(("127.0.0.1", "0.0.0.0"), name)  # noqa: S104 - as the file names it

        def place(found):
            host = own.get(found["host"], found["host"])
            if host == "postgres":
                return f"127.0.0.1:{self.postgres.port}"
            return f"{self.addresses[host]}:{found['port']}"

        def host_alone(found):
            host = own.get(found["host"], found["host"])
            return found["before"] + self.addresses[host]

        known = "|".join(map(re.escape, [*self.addresses, *own]))
        said = re.sub(rf"(?<![\w.-])(?P<host>{known}):(?P<port>\d+)", place, said)
        said = re.sub(rf'(?P<before>")(?P<host>{known})(?=")', host_alone, said)
        said = re.sub(rf"^(?P<before>--(?:name|host)=)(?P<host>{known})$", host_alone, said)
        said = self.addresses[name] if said in own else said
        places = self.directories(name)
        # All at once: what is put in place of one begins with the name of another, /tmp.
        known = "|".join(sorted(places, key=len, reverse=True))
        return re.sub(rf"(?<![\w.])({known})(?=/|$)", lambda found: str(places[found[1]]), said)

    def words(self, name):
        """Return the command line of a service."""
        service = self.said[name]
        of_image = ENTRYPOINTS.get(service["image"].partition(":")[0]) or dockerfile.entrypoint()
        words = [*service.get("entrypoint", of_image), *service["command"]]
        return [self.placed(name, one) for one in words]

    def environment(self, name):
        """Return the variables of a service, and of its image where that is ours."""
        service = self.said[name]
        of_image = dockerfile.environment() if service["image"].startswith(OURS) else {}
        said = {key: self.placed(name, one) for key, one in of_image.items() if key != "PATH"}
        said |= {key: self.placed(name, one) for key, one in service.get("environment", {}).items()}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return said | {"PATH": path, "PYTHONPATH": str(ROOT)}

    def run(self, name, *words):
        """Return what a command says that an operator runs in a service."""
        return subprocess.run(
            words,
            env=self.environment(name),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def start(self, name):
        """Start a service once all that it waits for is so."""
        for other, condition in conditions(self.said[name]).items():
            self.await_condition(other, condition)
        for one in self.directories(name).values():
            one.mkdir(parents=True, exist_ok=True)
        self.mount(name)
        self.launch(name, self.words(name))

    def mount(self, name):
        """Put the files of the repository where a service finds them, with the hosts of here."""
        mounts = (one.split(":") for one in self.said[name].get("volumes", ()))
        for here, inside, *_ in mounts:
            for path in (ROOT / here).glob("*.yml") if here.startswith("./") else ():
                copy = self.directories(name)[inside] / path.name
                copy.write_text(self.placed(name, path.read_text("utf-8")), "utf-8")

    def launch(self, name, words):
        with (self.home(name) / "log").open("w") as log:
            self.processes[name] = subprocess.Popen(
                words, env=self.environment(name), stdout=log, stderr=subprocess.STDOUT
            )

    def await_condition(self, name, condition):
        if condition == "service_completed_successfully":
            assert self.processes[name].wait(PATIENCE_S) == 0, self.log(name)
        elif condition == "service_healthy":
            self.await_healthy(name)
        else:
            raise NotImplementedError(condition)

    def await_healthy(self, name):
        """Wait until the health check of a service, as it stands in the file, succeeds."""
        kind, *test = self.said[name]["healthcheck"]["test"]
        assert kind == "CMD"
        test = self.program(name, [self.placed(name, one) for one in test])

        def healthy():
            process = self.processes.get(name)
            assert process is None or process.poll() is None, (name, self.log(name))
            return self.run(name, *test).returncode == 0

        try:
            wait_for(healthy, f"the health of {name}", PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(error, self.log(name), self.run(name, *test).stderr) from error

    def program(self, name, words):
        """Return a command line with the program that is in the image's place here."""
        script = Path(words[0]).name
        if name == "postgres":
            return [str(self.postgres.binary(script)), *words[1:]]
        if name == "kafka":
            return jars.java(jars.jars(), TOOLS[script], *words[1:])
        return words

    def log(self, name):
        path = self.home(name) / "log"
        return path.read_text("utf-8")[-3000:] if path.is_file() else ""

    # ------------------------------------------------------------------ what is not ours
    def start_kafka(self):
        """Start the broker by the image's own way from variables to settings; return them."""
        home, own = self.home("kafka"), self.environment("kafka")
        folders = [home / one for one in ("defaults", "mounted", "settings")]
        for one in folders:
            one.mkdir(parents=True)
        (folders[0] / "server.properties").touch()
        wrapped = jars.java(jars.jars(), "kafka.docker.KafkaDockerWrapper", "setup")
        flags = zip(("-D", "-M", "-F"), map(str, folders), strict=True)
        subprocess.run([*wrapped, *chain(*flags)], env=own, check=True, capture_output=True)
        settings = folders[2] / "server.properties"
        command = jars.java(jars.jars(), "kafka.Kafka", settings, options=own["KAFKA_HEAP_OPTS"])
        self.launch("kafka", command)
        return settings.read_text("utf-8")

    def start_postgres(self):
        """Start Debian's server with the file's options; its password becomes the secret."""
        self.postgres.start()
        kept = self.postgres.password_file.read_text("utf-8").strip()
        (self.folder / "secrets/postgres_password").write_text(kept.rpartition(":")[2], "utf-8")

    # ------------------------------------------------------------------ the end
    def end(self, names):
        """Tell services to stop, all at once; return exit codes and the longest time it took."""
        began_s = time.monotonic()
        for name in names:
            self.processes[name].send_signal(signal.SIGTERM)
        codes = {name: self.processes[name].wait(STOP_S) for name in names}
        return codes, time.monotonic() - began_s

    def close(self):
        for one in self.processes.values():
            if one.poll() is None:
                one.kill()
            one.wait()
        self.postgres.discard()
