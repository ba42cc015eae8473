"""What people, and those who ask after them, tell us."""

import hashlib
import re
from collections.abc import Iterable
from datetime import date

from schemas.codelists import CheckInState, ContactChannel, ContactOutcome, Precision
from schemas.envelope import YEAR_MAX, YEAR_MIN, Event, Value, check_id
from schemas.place import Place, Position

PERSON_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\.[0-9]{1,6}")


def check_person_id(person_id: str) -> None:
    """Raise ``ValueError`` unless ``person_id`` is ``<home>.<n>`` (design 3)."""
    if not PERSON_ID.fullmatch(person_id):
        msg = "person_id is not <home>.<n>, for example h3f9a.1"  # never quoted: it may be a name
        raise ValueError(msg)


def home_of(person_id: str) -> str:
    """Return the home of a person, from which the partition is computed."""
    return person_id.rpartition(".")[0]


class Stay(Value, frozen=True, kw_only=True):
    """One place with its dates; a residence is a stay with no end.

    Dates are local to the place and inclusive. No ``to_date`` means no return
    was filed.
    """

    stay_id: str
    place: Place
    from_date: date | None = None
    to_date: date | None = None
    residence: bool = False

    def __post_init__(self) -> None:
        """Refuse a stay that ends before it begins or never begins."""
        check_id(self.stay_id, "stay_id")
        if self.from_date is None and not self.residence:
            msg = "a stay needs from_date; only a residence may leave it out"
            raise ValueError(msg)
        for day in (self.from_date, self.to_date):
            if day is not None and not YEAR_MIN <= day.year <= YEAR_MAX:
                msg = f"a stay in the year {day.year}; expected {YEAR_MIN} to {YEAR_MAX}"
                raise ValueError(msg)
        if self.from_date and self.to_date and self.to_date < self.from_date:
            msg = f"to_date {self.to_date} is before from_date {self.from_date}"
            raise ValueError(msg)
        if self.place.precision is Precision.POINT:
            msg = "a stay is at an address, a city, an admin1 or a country"
            raise ValueError(msg)


class RegistrationFiled(Event, frozen=True, kw_only=True):
    """A registration as it now stands; a newer one replaces an older one.

    Identity is (person_id, registration_id); ``occurred_at`` orders versions.
    Attributes left out change nothing. ``cancelled`` withdraws all its stays.
    """

    person_id: str
    registration_id: str
    stays: tuple[Stay, ...] = ()
    cancelled: bool = False
    party_id: str | None = None
    minor: bool | None = None
    nationality: str | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        """Check ids, that a party shares a home's form, and stay ids."""
        super().__post_init__()
        check_person_id(self.person_id)
        check_id(self.registration_id, "registration_id")
        if len({stay.stay_id for stay in self.stays}) != len(self.stays):
            msg = "stay_id must be unique within a registration"
            raise ValueError(msg)


class CheckedIn(Event, frozen=True, kw_only=True):
    """A person's own statement: where they are, how they are, or both."""

    person_id: str
    position: Position | None = None
    state: CheckInState | None = None

    def __post_init__(self) -> None:
        """Refuse a check-in that says nothing."""
        super().__post_init__()
        check_person_id(self.person_id)
        if self.position is None and self.state is None:
            msg = "a check-in needs a position, a state, or both"
            raise ValueError(msg)


class ContactRecorded(Event, frozen=True, kw_only=True):
    """How an attempt to reach a person ended, by call centre or post.

    ``place`` is where the person, or someone for them, says they are.
    ``by`` is the agent's user id, never a name.
    """

    person_id: str
    outcome: ContactOutcome
    channel: ContactChannel
    by: str
    place: Place | None = None

    def __post_init__(self) -> None:
        """Check the ids."""
        super().__post_init__()
        check_person_id(self.person_id)
        check_id(self.by, "by")


class LinkChanged(Event, frozen=True, kw_only=True):
    """Two records are, or are no longer, one person; decided by the desk.

    ``root_id`` is the lowest id of the set (star-shaped). ``seq`` is the
    desk's own counter: a lower one never replaces a higher. Goes to the
    partition of the linked record.
    """

    link_id: str
    seq: int
    person_id: str
    root_id: str
    linked: bool
    by: str
    reason: str

    def __post_init__(self) -> None:
        """Check the ids."""
        super().__post_init__()
        check_person_id(self.person_id)
        check_person_id(self.root_id)


class FactsShared(Event, frozen=True, kw_only=True):
    """A linked record's whole history, for the record it is linked to.

    From the shard of ``from_id`` to that of ``person_id`` (the root), at the
    link and at every later fact. Absolute: the greatest (``seq``, ``count``)
    stands, ``seq`` being the link's and ``count`` the revision of the history.
    ``body`` is the facts as JSON, empty once the link is undone.
    """

    person_id: str
    from_id: str
    seq: int
    count: int
    body: str

    def __post_init__(self) -> None:
        """Check the ids."""
        super().__post_init__()
        check_person_id(self.person_id)
        check_person_id(self.from_id)


DIRECT_IDENTIFIERS = frozenset(
    "name first_name last_name given_name family_name full_name phone mobile telephone email"
    " e_mail mail address street passport passport_number register_number national_number"
    " date_of_birth birth_date birthdate remarks notes free_text".split()
)
"""Field names that belong in the contact vault and nowhere else (design 8)."""


LIKE_IDENTIFIER = re.compile(
    r"[^@\s]{1,64}@[^@\s]{1,255}\.[a-z]{2,}|(?:\+|\b00)\d[\d ./()-]{6,}\d", re.IGNORECASE
)
"""What looks like an e-mail address or a telephone number."""

# Beginnings, in the four working languages, of headings that promise a direct identifier.
_TELLTALE = re.compile(
    r"name|naam|nom\b|nom_|prenom|prénom|vorname|phone|(?<![a-z])tel|télé|gsm|mobil|mail|courriel"
    r"|passport|paspoort|passeport|reisepass|address|adres|birth|geboor|naissance|geburt|rrn|niss"
)
_SEPARATORS = re.compile(r"[\s_-]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIRECT = frozenset(_SEPARATORS.sub("", name) for name in DIRECT_IDENTIFIERS)


def names_identifier(field: str) -> bool:
    """Return whether a field's name promises a direct identifier, however spelt."""
    joined = _SEPARATORS.sub("", field.lower())
    apart = _SEPARATORS.sub("_", _HUMP.sub("_", field).lower())
    return joined in _DIRECT or any(_TELLTALE.search(spelt) for spelt in (joined, apart))


WITHHELD = "withheld"
"""How the body of a dead letter begins whose values are not kept."""


def withheld(raw: bytes, fields: Iterable[str]) -> str:
    """Return what a dead letter keeps of ``raw``: names of fields, no value.

    The mark, 32 bits of a hash, tells apart two of which all else is the same.
    """
    mark = hashlib.blake2b(raw, digest_size=4).hexdigest()
    held = LIKE_IDENTIFIER.sub("...", ", ".join(sorted(fields)) or "nothing that can be told")
    return f"{WITHHELD}, it holds {held} (mark {mark})"


def refuse_identifiers(fields: object) -> None:
    """Raise ``ValueError`` naming direct identifiers among a record's fields."""
    if isinstance(fields, dict):
        found = sorted(DIRECT_IDENTIFIERS & {str(f).lower() for f in fields})
        if found:
            msg = f"direct identifiers belong in the vault, not in a topic: {', '.join(found)}"
            raise ValueError(msg)


__all__ = [
    "DIRECT_IDENTIFIERS",
    "LIKE_IDENTIFIER",
    "WITHHELD",
    "CheckedIn",
    "ContactRecorded",
    "FactsShared",
    "LinkChanged",
    "RegistrationFiled",
    "Stay",
    "check_person_id",
    "home_of",
    "names_identifier",
    "refuse_identifiers",
    "withheld",
]
