"""``python -m streams.cli``: the command line where it is not installed."""

from streams.cli import main

main(prog_name="rollcall")
