"""What one node of the cluster is told: its server.properties."""

from pathlib import Path
from typing import NamedTuple

RECORD_BYTES = 4 * 1024 * 1024
"""The biggest record of ours."""

BATCH_BYTES = RECORD_BYTES + 1024 * 1024
"""A broker counts the whole batch, headers and keys included."""

HEAP = "-Xms128m -Xmx400m"
COMMON = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    # Topics are declared (`rollcall topics create`); one that is misspelt must not appear.
    "auto.create.topics.enable": "false",
    "num.partitions": "8",
    "message.max.bytes": str(BATCH_BYTES),
    "replica.fetch.max.bytes": str(BATCH_BYTES),
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.num.partitions": "1",
    # A worker asks for 10 s. What a killed one left open holds up every reader until it is
    # aborted: by the default of 10 s for looking, up to 20 s.
    "transaction.max.timeout.ms": "60000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    # A killed broker is noticed after this; the default is 9 s.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    # The default of 128 MB would be a third of the heap.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "log.cleaner.threads": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


class Ports(NamedTuple):
    """Where one node listens, all on the loopback interface."""

    client: int
    internal: int
    controller: int


class Sasl(NamedTuple):
    """What a broker asks of its clients: TLS, and a name with a password."""

    user: str
    password: str
    certificates: Path
    """The broker's key and certificates, PEM."""


def properties(
    node_id: int, ports: dict[int, Ports], data: Path, sasl: Sasl | None
) -> dict[str, str]:
    """Return the settings of a node, every replication factor by the number of nodes."""
    mine = ports[node_id]
    replicas = str(min(3, len(ports)))
    in_sync = "2" if len(ports) >= 3 else "1"
    listeners = {"CLIENT": mine.client, "INTERNAL": mine.internal, "CONTROLLER": mine.controller}
    said = {name: f"{name}://127.0.0.1:{port}" for name, port in listeners.items()}
    protocols = {"CLIENT": "SASL_SSL" if sasl else "PLAINTEXT"}
    return {
        **COMMON,
        "node.id": str(node_id),
        "controller.quorum.voters": ",".join(
            f"{node}@127.0.0.1:{its.controller}" for node, its in ports.items()
        ),
        "listeners": ",".join(said.values()),
        "advertised.listeners": f"{said['CLIENT']},{said['INTERNAL']}",
        "listener.security.protocol.map": ",".join(
            f"{name}:{protocols.get(name, 'PLAINTEXT')}" for name in listeners
        ),
        "log.dirs": str(data),
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        **(sasl_properties(sasl) if sasl else {}),
    }


def sasl_properties(sasl: Sasl) -> dict[str, str]:
    """Return the settings of the clients' listener with TLS and passwords.

    PLAIN knows its user from here; a SCRAM user is stored in the cluster once
    it runs. Brokers talk among themselves without, on the loopback interface.
    """
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    listener = "listener.name.client"
    return {
        f"{listener}.ssl.keystore.type": "PEM",
        f"{listener}.ssl.keystore.location": str(sasl.certificates),
        f"{listener}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        f"{listener}.plain.sasl.jaas.config": f'{plain} user_{sasl.user}="{sasl.password}";',
        f"{listener}.scram-sha-512.sasl.jaas.config": f"{scram};",
    }


def write(path: Path, settings: dict[str, str]) -> None:
    """Write a properties file that its owner alone can read: it may hold a password."""
    path.touch(mode=0o600)
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    path.write_text(text, encoding="utf-8")
