"""How much of a core N viewers of the wall cost; run by hand over a running wall.

    python -m tests.soak.viewers --url http://127.0.0.1:8501 --viewers 0,20,100 --seconds 60

Each viewer is one reader of the SSE stream. CPU is the process time of the
dashboard (utime + stime of /proc/<pid>/stat), found by the port it listens on.
"""

import argparse
import asyncio
import os
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

TICK_HZ = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK_HZ


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def listener(port: int) -> int:
    """Return the process that listens on a port of this machine."""
    lines = Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    inodes = {
        parts[9]
        for parts in (line.split() for line in lines)
        if parts[3] == "0A" and int(parts[1].rpartition(":")[2], 16) == port
    }
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue  # ended, or not ours to see
        if target.removeprefix("socket:[").rstrip("]") in inodes:
            return int(link.parts[2])
    msg = f"nobody listens on port {port}"
    raise SystemExit(msg)


class Viewer:
    """One reader of the stream; counts messages and bytes."""

    def __init__(self, url: str) -> None:
        self.host, self.port = urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or 80
        self.messages = self.bytes = 0

    async def read(self) -> None:
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=2**24)
        request = f"GET /api/live/wall HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n\r\n"
        writer.write(request.encode())
        await writer.drain()
        try:
            while line := await reader.readline():
                self.bytes += len(line)
                self.messages += line.startswith(b"data:")
        finally:
            writer.close()


async def measure(url: str, viewers: int, seconds: int) -> str:
    """Return one line: what so many viewers cost over so many seconds."""
    pid = listener(urlsplit(url).port or 80)
    crowd = [Viewer(url) for _ in range(viewers)]
    tasks = [asyncio.create_task(viewer.read()) for viewer in crowd]
    await asyncio.sleep(3)
    before = [viewer.messages for viewer in crowd]
    cpu, began_s, ours_s = cpu_s(pid), time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - began_s
    share = (cpu_s(pid) - cpu) / took_s
    got = [viewer.messages - count for viewer, count in zip(crowd, before, strict=True)]
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    broken = sum(not isinstance(one, asyncio.CancelledError) for one in ended)
    least, most = min(got, default=0), max(got, default=0)
    size = sum(v.bytes for v in crowd) / max(1, sum(v.messages for v in crowd))
    return (
        f"{viewers:4} viewers: {100 * share:5.1f} % of a core, {rss_mb(pid):.0f} MB;"
        f" messages in {took_s:.0f} s: {least} to {most} each, {size:.0f} bytes; {broken} broken;"
        f" readers themselves {100 * (time.process_time() - ours_s) / took_s:.1f} %;"
        f" load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Measure each number of viewers in turn and print a line for it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--url", default="http://127.0.0.1:8501")
    arguments.add_argument("--viewers", default="0,20,100")
    arguments.add_argument("--seconds", type=int, default=60)
    given = arguments.parse_args()
    for viewers in map(int, given.viewers.split(",")):
        print(asyncio.run(measure(given.url, viewers, given.seconds)), flush=True)


if __name__ == "__main__":
    main()
