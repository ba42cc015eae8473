"""Code lists: the closed vocabularies that messages are made of.

CAP 1.2 lists are those of OASIS "Common Alerting Protocol Version 1.2",
section 3.2; GDACS event types those of the GDACS API guide. Where a list is
Rollcall's own the docstring says so.
"""

from enum import StrEnum


class Status(StrEnum):
    """Handling of a message, CAP 1.2 section 3.2.1 ``status``.

    Carried from the input to every output, channel and screen. CAP's System
    and Draft are refused at intake: nobody may act on them.
    """

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    TEST = "Test"


class MsgType(StrEnum):
    """Nature of a report, CAP 1.2 section 3.2.1 ``msgType``."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class Severity(StrEnum):
    """CAP 1.2 section 3.2.2 ``severity``."""

    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Urgency(StrEnum):
    """CAP 1.2 section 3.2.2 ``urgency``."""

    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    """CAP 1.2 section 3.2.2 ``certainty``; ``Very Likely`` reads as Likely."""

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


class Hazard(StrEnum):
    """What happened; Rollcall's own list, wide enough for the feeds in use."""

    EARTHQUAKE = "earthquake"
    TSUNAMI = "tsunami"
    VOLCANO = "volcano"
    CYCLONE = "cyclone"
    FLOOD = "flood"
    WILDFIRE = "wildfire"
    DROUGHT = "drought"
    WEATHER = "weather"
    CONFLICT = "conflict"
    HEALTH = "health"
    OTHER = "other"


class Revision(StrEnum):
    """What a newer version of a report's area does to the earlier one.

    ``corrects``: replaces it from the onset on (earthquake solutions).
    ``evolves``: the earlier one stays true for its time (cyclone, advice).
    """

    CORRECTS = "corrects"
    EVOLVES = "evolves"


class Precision(StrEnum):
    """How exactly a place is known; finest first."""

    POINT = "point"
    ADDRESS = "address"
    CITY = "city"
    ADMIN1 = "admin1"
    COUNTRY = "country"


class CheckInState(StrEnum):
    """What a person says of themselves in a check-in."""

    SAFE = "safe"
    NEEDS_HELP = "needs_help"
    LEFT_AREA = "left_area"
    NEVER_THERE = "never_there"
    DECLINES_TO_LEAVE = "declines_to_leave"


class ContactOutcome(StrEnum):
    """How a call or visit by the call centre or a post ended."""

    REACHED_SAFE = "reached_safe"
    REACHED_NEEDS_HELP = "reached_needs_help"
    REACHED_LEFT_AREA = "reached_left_area"
    REACHED_NEVER_THERE = "reached_never_there"
    REACHED_DECLINES_TO_LEAVE = "reached_declines_to_leave"
    THIRD_PARTY_SAFE = "third_party_safe"
    EVACUATED = "evacuated"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"


class ContactChannel(StrEnum):
    """The way a contact was tried."""

    PHONE = "phone"
    SMS = "sms"
    EMAIL = "email"
    CHAT = "chat"
    VISIT = "visit"


class Basis(StrEnum):
    """What a presence rests on, best first (design 4.2)."""

    FRESH_FIX = "fresh_fix"
    STATED_PLACE = "stated_place"
    STAY = "stay"
    OLD_FIX = "old_fix"
    RESIDENCE = "residence"


class Tier(StrEnum):
    """How sure an exposure is (design 4.3), surest first; inbound apart."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    COUNTRY_ONLY = "country_only"
    INBOUND = "inbound"


class Bucket(StrEnum):
    """Accountability of a person in a situation (design 4.4).

    The values sum to the known, ``duplicate`` left out.
    """

    UNACCOUNTED = "unaccounted"
    NEEDS_HELP = "needs_help"
    SAFE = "safe"
    UNREACHABLE = "unreachable"
    LEFT_AREA = "left_area"
    NEVER_THERE = "never_there"
    DECLINES_TO_LEAVE = "declines_to_leave"
    EVACUATED = "evacuated"
    NO_LONGER_AFFECTED = "no_longer_affected"
    DUPLICATE = "duplicate"
    DECEASED = "deceased"


class StatementBy(StrEnum):
    """Who stands behind the bucket a person is in."""

    NOBODY = "nobody"
    PERSON = "person"
    THIRD_PARTY = "third_party"
    CONTACT = "contact"
    OFFICER = "officer"
    ENGINE = "engine"


class AdviceScope(StrEnum):
    """How much of the country an advisory's level is about."""

    WHOLE = "whole"
    PART = "part"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """Role of whoever gives a command (design 8)."""

    AGENT = "agent"
    POST = "post"
    OFFICER = "officer"
    RESTRICTED = "restricted"
    ADMIN = "admin"


class Verb(StrEnum):
    """What an officer's command does."""

    DECLARE = "declare"
    CLOSE = "close"
    OVERRIDE = "override"
    POLYGON = "polygon"
    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    LINK = "link"
    UNLINK = "unlink"


class FeedState(StrEnum):
    """Health of a feed as the wall shows it."""

    OK = "ok"
    LATE = "late"
    SUSPECT = "suspect"
    DOWN = "down"
    UNKNOWN = "unknown"
