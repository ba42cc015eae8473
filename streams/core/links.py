"""Links: records that are one person, star-shaped, root = lowest id (design 3)."""

from collections.abc import Iterable

from schemas.codelists import Verb
from schemas.command import CommandIssued
from streams.core.stage import derive_id


def pair_id(one: str, other: str) -> str:
    """Return the id of the link between two records, whichever comes first."""
    return derive_id("link", *sorted((one, other)))


def roots_of(commands: Iterable[CommandIssued]) -> dict[str, tuple[str, CommandIssued]]:
    """Return {person id: (root id, deciding command)} of all linked records.

    Of the commands about one pair the latest by (occurred_at, event_id)
    counts. The root itself is not among the keys.
    """
    latest: dict[str, CommandIssued] = {}
    pairs: dict[str, tuple[str, str]] = {}
    for command in sorted(commands, key=lambda c: (c.occurred_at, c.event_id)):
        if command.verb is Verb.LINK and command.person_id and command.other_id:
            link_id = pair_id(command.person_id, command.other_id)
            pairs[link_id] = (command.person_id, command.other_id)
            latest[link_id] = command
        elif command.verb is Verb.UNLINK and command.link_id:
            latest[command.link_id] = command
    sets: dict[str, set[str]] = {}
    for link_id, command in latest.items():
        if command.verb is not Verb.LINK:
            continue
        one, other = pairs[link_id]
        joined = sets.get(one, {one}) | sets.get(other, {other})
        for person_id in joined:
            sets[person_id] = joined
    roots: dict[str, tuple[str, CommandIssued]] = {}
    for link_id, command in sorted(latest.items()):
        if command.verb is Verb.LINK:
            for person_id in pairs[link_id]:
                root = min(sets[person_id])
                if root != person_id:
                    roots.setdefault(person_id, (root, command))
    return roots
