"""A register as CSV: one stay in a row, the rows of one person one registration.

For lists of tour operators, posts and schools. Columns are known by name; one
that is not known refuses the file, so that nothing is stored that nobody has
looked at, least of all a name or a telephone number.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec

from geo.places import alpha2
from schemas.codelists import Precision
from schemas.envelope import Event, as_utc
from schemas.person import (
    LIKE_IDENTIFIER,
    RegistrationFiled,
    Stay,
    check_person_id,
    names_identifier,
    withheld,
)
from schemas.place import Place
from streams.core.stage import derive_id

COLUMNS: dict[str, str] = {
    "person_id": "<home>.<n>, for example h3f9a.1 (required); who is not listed keeps what was",
    "country": "ISO 3166-1 alpha-2 code (required)",
    "from": "first day, as 2023-02-05 (required, except for a residence)",
    "to": "last day; empty: no return was filed",
    "precision": "address, city, admin1 or country; empty: by what else the row says",
    "city": "name of the place",
    "admin1": "ISO 3166-2 code",
    "lon": "degrees east, WGS 84",
    "lat": "degrees north, WGS 84",
    "radius_m": "68 % radius around the point in metres",
    "residence": "yes for where a person lives",
    "registration_id": "empty: the list's name; a newer list replaces what it says of a person",
    "stay_id": "empty: the row's place in the registration",
    "party_id": "who travels together",
    "minor": "yes or no",
    "nationality": "ISO 3166-1 alpha-2 code",
    "language": "language to be spoken to in",
    "filed_at": "when the list was drawn up, as 2023-02-05T10:00:00Z; empty: now",
}
"""Every column a register may have, and what it holds."""

_REQUIRED = ("person_id", "country", "from")

Refusal = tuple[str, str, str]
_Rows = dict[tuple[str, str], list[tuple[int, dict[str, str]]]]


class _RowError(ValueError):
    """One row cannot be used; the text says why."""


class _FileError(ValueError):
    """The file is no CSV from ``line`` on; nothing of it can be trusted."""

    def __init__(self, line: int, why: str) -> None:
        hint = 'look for a quote (") without its pair; nothing of this file was stored'
        super().__init__(f"not CSV: {why}; {hint}")
        self.line = line


def parse_register(list_name: str, payload: bytes, received_at: datetime) -> list[Event | Refusal]:
    """Return registrations, and (item, reason, body) of what is refused.

    ``list_name`` is the registration_id where no column gives one. The id of
    an event is derived from what it says and, where given, from ``filed_at``:
    the same list again is the same events. The rows of one registration are
    taken together or not at all. Never raises.
    """
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 at byte {error.start}; save the list as CSV UTF-8"
        return [("file", reason, "")]
    try:
        lines = _lines(text)
    except _FileError as error:
        return [(f"line {error.line}", str(error), "")]
    columns = [name.strip().lower() for name in lines[0][1]] if lines else []
    refusal = _refuse_columns(columns)
    if refusal is not None:
        return [refusal]
    found: list[Event | Refusal] = []
    groups: _Rows = {}
    spoilt: dict[tuple[str, str | None], int] = {}
    for line, cells in lines[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = _row(columns, cells)
            _check(row)
        except (_RowError, ValueError, msgspec.ValidationError) as error:
            found.append((f"line {line}", str(error), _body(columns, cells)))
            spoilt.setdefault(_key(columns, cells, list_name), line)
        else:
            key = (row["person_id"], row["registration_id"] or list_name)
            groups.setdefault(key, []).append((line, row))
    found.extend(_registrations(groups, spoilt, received_at))
    return found


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Return (line number, cells) of each line; ``_FileError`` if one is no CSV.

    No cell of a register holds a line break: one that does has swallowed rows.
    """
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True)
    lines: list[tuple[int, list[str]]] = []
    begun = 1
    try:
        for cells in reader:
            if reader.line_num != begun:
                raise _FileError(begun, f"a cell goes on to line {reader.line_num}")
            lines.append((begun, cells))
            begun += 1
    except csv.Error as error:
        raise _FileError(begun, str(error)) from error
    return lines


def _key(columns: list[str], cells: list[str], list_name: str) -> tuple[str, str | None]:
    """Return whose registration a refused row is of; None for any of the person."""
    row = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
    registration_id = row.get("registration_id", "") or list_name
    return (row.get("person_id", ""), registration_id if len(cells) == len(columns) else None)


def _delimiter(text: str) -> str:
    """Return the separator of the heading: spreadsheets write , ; or a tab."""
    heading = text.partition("\n")[0]
    return max(",;\t", key=heading.count)


def _refuse_columns(columns: list[str]) -> Refusal | None:
    """Return why the file as a whole is refused, or None."""
    heading = ", ".join(columns)[:500]
    if not any(columns):
        return ("file", f"the list is empty; its first line must name {', '.join(_REQUIRED)}", "")
    unknown = [name for name in columns if name not in COLUMNS]
    personal = [name for name in unknown if names_identifier(name)]
    if personal:
        reason = (
            f"columns {', '.join(personal)} hold direct identifiers, which belong in the contact"
            " vault; nothing of this file was stored; take the columns out"
        )
        return ("file", reason, f"columns: {heading}")
    if unknown:
        reason = f"unknown columns {', '.join(repr(name) for name in unknown)}; nothing was stored"
        return ("file", f"{reason}; known: {', '.join(COLUMNS)}", f"columns: {heading}")
    if len(set(columns)) != len(columns):
        return ("file", "a column stands twice in the first line", f"columns: {heading}")
    missing = [name for name in _REQUIRED if name not in columns]
    if missing:
        return ("file", f"the first line lacks {', '.join(missing)}", f"columns: {heading}")
    return None


def _row(columns: list[str], cells: list[str]) -> dict[str, str]:
    """Return a row by column, all known columns there, empty where not given."""
    if len(cells) != len(columns):
        msg = f"{len(cells)} cells under {len(columns)} columns"
        raise _RowError(msg)
    given = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    found = [name for name, cell in given.items() if LIKE_IDENTIFIER.search(cell)]
    if found:
        msg = f"{', '.join(found)} looks like an e-mail address or a telephone number"
        raise _RowError(msg)
    return {**dict.fromkeys(COLUMNS, ""), **given}


def _check(row: dict[str, str]) -> None:
    """Raise what is wrong with a row on its own, so that only it is refused."""
    check_person_id(row["person_id"])
    _stay(row, "1")
    _yes(row["minor"], "minor")
    if row["filed_at"]:
        as_utc(_time(row["filed_at"]), "filed_at")


def _body(columns: list[str], cells: list[str]) -> str:
    """Return what a dead letter keeps of a row: a name may stand in any cell."""
    return withheld("\t".join(cells).encode(), columns)


def _registrations(
    groups: _Rows, spoilt: dict[tuple[str, str | None], int], received_at: datetime
) -> Iterator[Event | Refusal]:
    """Yield one registration for each person and registration_id.

    ``spoilt`` gives the line of a refused row of a registration: without it
    the rest would replace what was known by less than was filed.
    """
    for (person_id, registration_id), rows in groups.items():
        bad = spoilt.get((person_id, registration_id), spoilt.get((person_id, None)))
        try:
            if bad is not None:
                what = f"line {bad} of the same registration is refused"
                msg = f"{what}; it is taken whole or not at all"
                raise _RowError(msg)
            yield _registration(person_id, registration_id, [row for _, row in rows], received_at)
        except (ValueError, msgspec.ValidationError) as error:
            lines = ", ".join(str(line) for line, _ in rows)
            cells = [cell for _, row in rows for cell in row.values()]
            yield (f"line {lines}", str(error), _body(list(COLUMNS), cells))


def _registration(
    person_id: str, registration_id: str, rows: list[dict[str, str]], received_at: datetime
) -> RegistrationFiled:
    stays = tuple(_stay(row, str(place)) for place, row in enumerate(rows, start=1))
    filed = sorted({row["filed_at"] for row in rows if row["filed_at"]})
    attributes: dict[str, Any] = {
        name: _one(name, rows) for name in ("party_id", "nationality", "language")
    }
    minor = _one("minor", rows)
    attributes["minor"] = None if minor is None else _yes(minor, "minor")
    said = (person_id, registration_id, *filed, *attributes.values())
    return RegistrationFiled(
        event_id=derive_id("list", *said, msgspec.json.encode(stays).decode()),
        source="list",
        occurred_at=max((_time(text) for text in filed), default=received_at),
        received_at=received_at,
        person_id=person_id,
        registration_id=registration_id,
        stays=stays,
        **attributes,
    )


def _stay(row: dict[str, str], default_id: str) -> Stay:
    lon_deg, lat_deg = _number(row, "lon"), _number(row, "lat")
    country = alpha2(row["country"])
    if country is None:
        msg = f"country {row['country']!r} is not an ISO 3166-1 code"
        raise _RowError(msg)
    precision = row["precision"].lower()
    if not precision:
        precision = "city" if lon_deg is not None else "admin1" if row["admin1"] else "country"
    if precision not in set(Precision):
        msg = f"precision {precision!r} is not address, city, admin1 or country"
        raise _RowError(msg)
    return Stay(
        stay_id=row["stay_id"] or default_id,
        place=Place(
            precision=Precision(precision),
            country=country,
            name=row["city"] or None,
            admin1=row["admin1"] or None,
            lon_deg=lon_deg,
            lat_deg=lat_deg,
            radius_m=_number(row, "radius_m"),
        ),
        from_date=_date(row, "from"),
        to_date=_date(row, "to"),
        residence=_yes(row["residence"], "residence"),
    )


def _one(name: str, rows: list[dict[str, str]]) -> str | None:
    """Return what all rows of a registration say in a column, None if nothing."""
    values = sorted({row[name] for row in rows if row[name]})
    if len(values) > 1:
        msg = f"{name} differs between the rows of one registration"
        raise _RowError(msg)
    return values[0] if values else None


def _number(row: dict[str, str], name: str) -> float | None:
    text = row[name].replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        msg = f"{name} {row[name]!r} is not a number"
        raise _RowError(msg) from None


def _date(row: dict[str, str], name: str) -> date | None:
    if not row[name]:
        return None
    try:
        return date.fromisoformat(row[name])
    except ValueError:
        msg = f"{name} {row[name]!r} is not a date as 2023-02-05"
        raise _RowError(msg) from None


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        msg = f"filed_at {text!r} is not a time as 2023-02-05T10:00:00Z"
        raise _RowError(msg) from None


def _yes(text: str, name: str) -> bool:
    if text.lower() in {"", "no", "n", "0", "false"}:
        return False
    if text.lower() in {"yes", "y", "1", "true"}:
        return True
    msg = f"{name} {text!r} is not yes or no"
    raise _RowError(msg)
