"""Starts and stops Apache Kafka on this machine.

python -m infra.kafka up                    # one broker on 127.0.0.1:9092
python -m infra.kafka up --brokers 3        # a cluster on 9092, 9093, 9094
python -m infra.kafka status
python -m infra.kafka down                  # the data stay in the folder
python -m infra.kafka tool ConsoleProducer --bootstrap-server 127.0.0.1:9092 --topic check-ins

Where nothing is said, the folder is var/kafka, and there is neither TLS nor password.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from infra.kafka import jars
from infra.kafka.cluster import Cluster
from infra.processes import ServiceError, say

TOOLS = "org.apache.kafka.tools."


def main() -> int:
    """Run one command; 1 and words on what to do when it fails."""
    asked = arguments()
    try:
        return int(COMMANDS[asked.command](asked))
    except ServiceError as error:
        say(f"kafka: {error}")
        return 1


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.kafka",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start, and wait until every broker answers")
    up.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    up.add_argument("--port", type=int, default=9092, help="of the first broker (9092)")
    up.add_argument("--security", choices=("plaintext", "sasl_ssl"), default="plaintext")
    down = commands.add_parser("down", help="stop; the data stay unless --delete is given")
    down.add_argument("--delete", action="store_true", help="delete the folder, records and all")
    status = commands.add_parser("status", help="which brokers run and answer; 1 if not all do")
    for command in (up, down, status):
        command.add_argument("--dir", type=Path, default=jars.ROOT / "var/kafka")
    commands.add_parser("jars", help="fetch and verify the jars, print their folder")
    commands.add_parser("lock", help="write jars.sha256 from pom.xml")
    tool = commands.add_parser("tool", help=f"run one of Kafka's own tools ({TOOLS}...)")
    tool.add_argument("name")
    tool.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args()


def up(asked: argparse.Namespace) -> int:
    """Start what does not run yet."""
    began_s = time.monotonic()
    lacking = jars.missing_tools()
    if lacking:
        raise ServiceError(lacking)
    cluster = Cluster(asked.dir, brokers=asked.brokers, port=asked.port, security=asked.security)
    say(f"kafka: starting {asked.brokers} broker(s) in {cluster.folder}")
    cluster.up()
    say(f"kafka: ready after {time.monotonic() - began_s:.0f} s")
    return status(asked)


def down(asked: argparse.Namespace) -> int:
    """Stop everything; nothing to stop is no failure."""
    if (asked.dir / "cluster.json").is_file():
        cluster = Cluster.open(asked.dir)
        running = cluster.running()
        cluster.down()
        say(f"kafka: stopped {len(running)} broker(s)")
        if asked.delete:
            cluster.discard()
    else:
        say(f"kafka: nothing in {asked.dir}")
    return 0


def status(asked: argparse.Namespace) -> int:
    """Print a line a node, and how to connect."""
    cluster = Cluster.open(asked.dir)
    answering = cluster.answering()
    for number, its in cluster.ports.items():
        pid = cluster.process(number).pid
        state = "answers" if number in answering else "does not answer" if pid else "stopped"
        print(f"node {number}  127.0.0.1:{its.client}  {state}" + (f"  pid {pid}" if pid else ""))
    access = cluster.access()
    print(f"bootstrap servers: {access.bootstrap}  ({access.protocol})")
    if access.user:
        print(f"user {access.user}, password in {access.password_file}, CA in {access.ca_file}")
    return 0 if answering == cluster.nodes else 1


def show_jars(_: argparse.Namespace) -> int:
    """Fetch, verify, print the folder."""
    print(jars.jars())
    return 0


def lock(_: argparse.Namespace) -> int:
    """Write the lock."""
    say(f"kafka: {jars.write_lock()} jars in {jars.LOCK.name}")
    return 0


def tool(asked: argparse.Namespace) -> int:
    """Run a tool in the foreground, with this terminal."""
    name = asked.name if "." in asked.name else TOOLS + asked.name
    command = jars.java(jars.jars(), name, *asked.arguments, options="-Xmx256m")
    return subprocess.run(command, check=False).returncode  # noqa: S603 - the tool that was asked for


COMMANDS = {
    "up": up,
    "down": down,
    "status": status,
    "jars": show_jars,
    "lock": lock,
    "tool": tool,
}

if __name__ == "__main__":
    sys.exit(main())
