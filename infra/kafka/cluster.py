"""One broker, or a cluster of them, on the loopback interface; no Docker."""

import base64
import json
import secrets
import shutil
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Literal, NamedTuple, Self

from infra import processes
from infra.kafka import jars, node, tls
from infra.processes import Process, ServiceError, say

Security = Literal["plaintext", "sasl_ssl"]
USER = "rollcall"
START_PATIENCE_S = 90.0
STOP_PATIENCE_S = 20.0
ANSWER_WITHIN_MS = 5_000
SCRAM_ITERATIONS = 4096
CONTROLLER_OFFSET = 100
INTERNAL_OFFSET = 200
"""With a given port p, nodes listen for clients on p, p+1, p+2, among themselves further up."""


class Access(NamedTuple):
    """What a client must know to connect; None where there is neither TLS nor password."""

    bootstrap: str
    protocol: Literal["PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: str | None = None
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None


class Cluster:
    """Brokers that are controllers too; what they are is kept in their folder.

    As a context manager it starts all nodes and ends them; ``Cluster.open``
    finds a cluster that another process has started. Nodes count from 1.
    """

    def __init__(
        self,
        folder: Path,
        *,
        brokers: int = 1,
        port: int | None = None,
        security: Security = "plaintext",
        jar_folder: Path | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.jar_folder = jar_folder
        description = self.folder / "cluster.json"
        if description.is_file():
            said = json.loads(description.read_text(encoding="utf-8"))
            if (brokers, security) != (len(said["ports"]), said["security"]):
                msg = (
                    f"{folder} holds {len(said['ports'])} broker(s) with {said['security']}; "
                    "delete the folder to begin anew, or name another"
                )
                raise ServiceError(msg)
        else:
            said = {
                "id": cluster_id(),
                "ports": ports_from(port, brokers),
                "security": security,
            }
            self.folder.mkdir(parents=True, exist_ok=True)
            description.write_text(json.dumps(said), encoding="utf-8")
        self.id: str = said["id"]
        self.security: Security = said["security"]
        self.ports = {number: node.Ports(*it) for number, it in enumerate(said["ports"], 1)}

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Return the cluster of a folder, running or not."""
        description = folder / "cluster.json"
        if not description.is_file():
            msg = f"there is no cluster in {folder}"
            raise ServiceError(msg)
        said = json.loads(description.read_text(encoding="utf-8"))
        return cls(folder, brokers=len(said["ports"]), security=said["security"])

    def __enter__(self) -> Self:
        """Start all nodes."""
        try:
            self.up()
        except BaseException:
            self.down(patience_s=0.0)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End all nodes."""
        # Whatever a context manager started is thrown away; there is nothing to be gentle with.
        self.down(patience_s=0.0)

    @property
    def nodes(self) -> list[int]:
        """The ids of all nodes, running or not."""
        return list(self.ports)

    @property
    def bootstrap(self) -> str:
        """The clients' addresses of all nodes."""
        return ",".join(f"127.0.0.1:{its.client}" for its in self.ports.values())

    @property
    def internal(self) -> str:
        """The brokers' own addresses: neither TLS nor password, for administration."""
        return ",".join(f"127.0.0.1:{its.internal}" for its in self.ports.values())

    def access(self, mechanism: Literal["PLAIN", "SCRAM-SHA-512"] = "SCRAM-SHA-512") -> Access:
        """Return what a client must know."""
        if self.security == "plaintext":
            return Access(self.bootstrap)
        password, authority = self.folder / "password", self.folder / "tls/ca.pem"
        return Access(self.bootstrap, "SASL_SSL", mechanism, USER, password, authority)

    def process(self, number: int) -> Process:
        """Return the process of a node."""
        home = self.folder / f"node-{number}"
        return Process(home / "pid", home / "server.log")

    def running(self) -> list[int]:
        """Return the nodes whose process lives."""
        return [number for number in self.nodes if self.process(number).pid is not None]

    def answering(self) -> list[int]:
        """Return the nodes that answer and that the cluster itself counts as there."""
        return [number for number in self.running() if self.answers(number)]

    def answers(self, number: int) -> bool:
        """Return whether a node answers, and the cluster gives it work.

        A node just killed still counts for some seconds, so it is asked itself;
        one just started already answers but leads nothing while it is fenced.
        """
        from kafka import KafkaAdminClient  # noqa: PLC0415 - `down` works without the client
        from kafka.errors import KafkaError  # noqa: PLC0415 - as above

        port = self.ports[number].internal
        if not processes.taken(port):
            return False
        try:
            admin = KafkaAdminClient(
                bootstrap_servers=f"127.0.0.1:{port}", bootstrap_timeout_ms=ANSWER_WITHIN_MS
            )
        except KafkaError:
            return False
        try:
            brokers = admin.describe_cluster()["brokers"]
        except KafkaError:
            return False
        finally:
            admin.close()
        return any(it["broker_id"] == number and not it["is_fenced"] for it in brokers)

    def up(self) -> None:
        """Format what is new, start every node, wait until all of them answer."""
        lib = jars.jars(self.jar_folder)
        self.format(lib)
        for number in self.nodes:
            self.launch(number, lib)
        for number in self.nodes:
            self.await_ready(number)
        if self.security == "sasl_ssl":
            self.add_scram_user()

    def down(self, patience_s: float = STOP_PATIENCE_S) -> None:
        """End every node: all are asked at once, then killed when they do not heed it."""
        going = [self.process(number) for number in self.running()]
        if patience_s > 0:
            for process in going:
                process.send(signal.SIGCONT)
                process.send(signal.SIGTERM)
        pids = [process.pid for process in going if process.pid is not None]
        if not processes.all_ended(pids, patience_s):
            for process in going:
                process.kill()
        for number in self.nodes:
            self.process(number).pid_file.unlink(missing_ok=True)

    def discard(self) -> None:
        """End every node and delete the folder, records and all."""
        self.down(patience_s=0.0)
        shutil.rmtree(self.folder)

    def start(self, number: int) -> None:
        """Start a node again and wait until the cluster has it back."""
        self.launch(number, jars.jars(self.jar_folder))
        self.await_ready(number)

    def stop(self, number: int) -> bool:
        """Stop a node in order: it hands over what it leads. False if it had to be killed."""
        return self.process(number).stop(signal.SIGTERM, STOP_PATIENCE_S)

    def kill(self, number: int) -> None:
        """End a node as a power cut does."""
        self.process(number).kill()

    def freeze(self, number: int) -> None:
        """Let a node neither work nor answer, its connections open."""
        self.process(number).send(signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        """Let a frozen node go on."""
        self.process(number).send(signal.SIGCONT)

    def launch(self, number: int, lib: Path) -> None:
        """Start a node's process."""
        home = self.folder / f"node-{number}"
        settings = home / "server.properties"
        command = jars.java(lib, "kafka.Kafka", settings, options=node.HEAP)
        self.process(number).start(command)

    def await_ready(self, number: int) -> None:
        """Wait until the cluster says that a node is there."""
        self.process(number).wait_for(
            lambda: self.answers(number), START_PATIENCE_S, f"Kafka node {number}"
        )

    def format(self, lib: Path) -> None:
        """Write settings, and the storage of nodes that have none; all at the same time."""
        sasl = self.sasl()
        started = []
        for number in self.nodes:
            home = self.folder / f"node-{number}"
            data, settings = home / "data", home / "server.properties"
            home.mkdir(exist_ok=True)
            node.write(settings, node.properties(number, self.ports, data, sasl))
            if not (data / "meta.properties").is_file():
                to_format = f"format --cluster-id {self.id} --config".split()
                command = jars.java(lib, "kafka.tools.StorageTool", *to_format, settings)
                started.append(
                    subprocess.Popen(  # noqa: S603 - fixed arguments, no shell
                        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                    )
                )
        outputs = [(one.communicate()[0], one.returncode) for one in started]
        failed = [output for output, status in outputs if status != 0]
        if failed:
            msg = f"the storage could not be formatted:\n{failed[0]}"
            raise ServiceError(msg)

    def sasl(self) -> node.Sasl | None:
        """Return what clients must show, made the first time."""
        if self.security == "plaintext":
            return None
        password = self.folder / "password"
        if not password.is_file():
            password.touch(mode=0o600)
            password.write_text(secrets.token_urlsafe(18), encoding="utf-8")
        _, certificates = tls.certificates(self.folder / "tls")
        return node.Sasl(USER, password.read_text(encoding="utf-8"), certificates)

    def add_scram_user(self) -> None:
        """Store the user in the cluster; its salted hash, not the password."""
        from kafka import KafkaAdminClient  # noqa: PLC0415 - as in `answering`
        from kafka.admin import (  # noqa: PLC0415 - as in `answering`
            ScramMechanism,
            UserScramCredentialUpsertion,
        )

        password = (self.folder / "password").read_text(encoding="utf-8")
        user = UserScramCredentialUpsertion(
            USER, ScramMechanism.SCRAM_SHA_512, password, iterations=SCRAM_ITERATIONS
        )
        admin = KafkaAdminClient(bootstrap_servers=self.internal.split(","))
        try:
            refused = {who: why for who, why in admin.alter_user_scram_credentials([user]).items()
                       if why}  # fmt: skip
        finally:
            admin.close()
        if refused:
            msg = f"the user could not be stored: {refused}"
            raise ServiceError(msg)
        say(f"kafka: user {USER}, password in {self.folder / 'password'}")


def cluster_id() -> str:
    """Return an id as Kafka wants it: 16 bytes, base64, none that reads as an option."""
    made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return made if made[0] not in "-_" else cluster_id()


def ports_from(port: int | None, brokers: int) -> list[node.Ports]:
    """Return every node's ports: counted up from one that is given, or free ones."""
    if port is None:
        free = processes.free_ports(3 * brokers)
        return [node.Ports(*free[at : at + 3]) for at in range(0, 3 * brokers, 3)]
    wanted = [
        node.Ports(port + at, port + INTERNAL_OFFSET + at, port + CONTROLLER_OFFSET + at)
        for at in range(brokers)
    ]
    taken = [number for its in wanted for number in its if processes.taken(number)]
    if taken:
        msg = f"port {taken[0]} is taken; choose another with --port"
        raise ServiceError(msg)
    return wanted
