"""What wakes an engine, also from a signal handler."""

import subprocess
import sys

from streams.engine import Wake

STRUCK = """
import signal
from streams.engine import Wake
wake, struck = Wake(), 0
def strike(*_):
    global struck
    struck += 1
    wake.set()
signal.signal(signal.SIGALRM, strike)
signal.setitimer(signal.ITIMER_REAL, 5e-5, 5e-5)
while struck < 20_000:
    wake.wait(0.001)
    wake.taken()
signal.setitimer(signal.ITIMER_REAL, 0)
print("awake")
"""
"""A signal as often as can be, at every point of waiting and looking."""


def test_a_signal_that_wakes_never_locks_out_who_waits():
    ended = subprocess.run(
        [sys.executable, "-c", STRUCK], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "awake\n"


def test_what_is_set_before_the_wait_is_not_slept_through():
    wake = Wake()
    wake.set()
    wake.wait(3600.0)
    assert wake.taken()
    assert not wake.taken()
