"""Diagrams of the tables of the core, drawn from the tables themselves."""

from streams.core.incidents import LIFE
from streams.core.ledger import SETTABLE, TRANSITIONS


def ledger_diagram() -> str:
    """Return the ledger's transitions as a Mermaid state diagram.

    Every state is also reached by an officer's override.
    """
    lines = ["stateDiagram-v2", "    [*] --> unaccounted: exposed"]
    arrows: dict[tuple[str, str], list[str]] = {}
    for said, (leaves, bucket, _) in TRANSITIONS.items():
        for before in SETTABLE:
            if before in leaves and before is not bucket:
                arrows.setdefault((before.value, bucket.value), []).append(str(said))
    lines += [
        f"    {before} --> {after}: {', '.join(said)}"
        for (before, after), said in sorted(arrows.items())
    ]
    return "\n".join(lines)


def life_diagram() -> str:
    """Return the life cycle of an incident as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> reported"]
    lines += [f"    {state} --> {after}" for state, follow in LIFE.items() for after in follow]
    return "\n".join(lines)


def page() -> str:
    """Return docs/diagrams.md."""
    return f"""# Diagrams

Drawn from the tables in the code by `streams.core.diagrams`; a test holds this page equal to them.

## The ledger (`streams/core/ledger.py`)
An officer's override reaches every state. `no_longer_affected` (held only by corrected zones) and
`duplicate` (linked to another record) are derived.
```mermaid
{ledger_diagram()}
```

## The life of an incident (`streams/core/incidents.py`)
```mermaid
{life_diagram()}
```
"""
