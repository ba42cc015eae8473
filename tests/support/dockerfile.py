"""The Dockerfile as its instructions, stage by stage."""

import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"


class Instruction(NamedTuple):
    """One instruction; ``stage`` is the name of its stage, "" that of the last one."""

    stage: str
    name: str
    said: str


def instructions(text=None):
    """Return all instructions, comments and folded lines taken out."""
    text = DOCKERFILE.read_text("utf-8") if text is None else text
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    found, stage = [], ""
    for line in re.sub(r"\\\n\s*", " ", kept).splitlines():
        name, _, said = line.strip().partition(" ")
        if name == "FROM":
            _, _, stage = said.partition(" AS ")
        if name:
            found.append(Instruction(stage, name, said.strip()))
    return found


def entrypoint():
    """Return the words that every process begins with."""
    (said,) = [one.said for one in instructions() if one.name == "ENTRYPOINT"]
    return json.loads(said)


def environment():
    """Return the variables that the image sets."""
    said = " ".join(one.said for one in instructions() if (one.stage, one.name) == ("", "ENV"))
    return dict(word.split("=", 1) for word in shlex.split(said))
