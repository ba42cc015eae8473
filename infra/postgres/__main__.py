"""Starts and stops PostgreSQL on this machine.

python -m infra.postgres up        # on 127.0.0.1:5433; prints the URL
python -m infra.postgres status
python -m infra.postgres down      # the data stay in the folder

The folder is var/postgres; for root, who may not run it, one in /var/tmp.
"""

import argparse
import sys
import time
from pathlib import Path

from infra.postgres.server import Postgres, default_folder, missing
from infra.processes import ServiceError, say


def main() -> int:
    """Run one command; 1 and words on what to do when it fails."""
    asked = arguments()
    try:
        return int(COMMANDS[asked.command](asked))
    except ServiceError as error:
        say(f"postgres: {error}")
        return 1


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.postgres",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start, and wait until it answers")
    up.add_argument("--port", type=int, default=5433)
    down = commands.add_parser("down", help="stop; the data stay unless --delete is given")
    down.add_argument("--delete", action="store_true", help="delete the folder, data and all")
    status = commands.add_parser("status", help="whether it answers; 1 if not")
    for command in (up, down, status):
        command.add_argument("--dir", type=Path, default=None)
    asked = parser.parse_args()
    asked.dir = asked.dir or default_folder()
    return asked


def up(asked: argparse.Namespace) -> int:
    """Start it, unless it runs."""
    began_s = time.monotonic()
    lacking = missing()
    if lacking:
        raise ServiceError(lacking)
    server = Postgres(asked.dir, port=asked.port)
    say(f"postgres: starting in {server.folder}")
    server.start()
    say(f"postgres: ready after {time.monotonic() - began_s:.0f} s")
    return status(asked)


def down(asked: argparse.Namespace) -> int:
    """Stop it; nothing to stop is no failure."""
    server = existing(asked.dir)
    if server is None:
        say(f"postgres: nothing in {asked.dir}")
        return 0
    ran = server.process.pid is not None
    server.stop()
    say("postgres: stopped" if ran else "postgres: was not running")
    if asked.delete:
        server.discard()
    return 0


def status(asked: argparse.Namespace) -> int:
    """Print whether it answers, and how to connect."""
    server = existing(asked.dir)
    if server is None:
        msg = f"there is no server in {asked.dir}"
        raise ServiceError(msg)
    answers = server.process.pid is not None and server.answers()
    print(f"127.0.0.1:{server.port}  {'answers' if answers else 'stopped'}")
    print(f"URL: {server.url}")
    return 0 if answers else 1


def existing(folder: Path) -> Postgres | None:
    """Return the server of a folder, if one was made there."""
    return Postgres(folder) if (folder / "port").is_file() else None


COMMANDS = {"up": up, "down": down, "status": status}

if __name__ == "__main__":
    sys.exit(main())
