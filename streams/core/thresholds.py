"""Every threshold of presence, exposure and ledger, in one place.

Defaults are those of the design, section 4; docs/semantics.md says what each
does.
"""

from datetime import timedelta
from typing import TypeVar

import msgspec

from schemas.codelists import ContactOutcome, Precision

D = TypeVar("D", timedelta, float)

LONGEST = timedelta(days=3650)
"""Longest duration: ten years, so that no time leaves the calendar."""

FARTHEST_M = 20_037_508.0
"""Longest distance: half of the equator (WGS 84)."""

MAGNITUDE_MAX = 10.0
LEVEL_MAX = 4
"""Highest level of our scale of travel advice."""


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the pure core; part of the engine version."""

    fresh_fix: timedelta = timedelta(hours=6)
    old_fix: timedelta = timedelta(hours=72)
    stated_place: timedelta = timedelta(hours=72)
    stay_margin: timedelta = timedelta(hours=24)
    inbound: timedelta = timedelta(hours=72)
    dwell: timedelta = timedelta(minutes=10)
    p_high: float = 0.9
    p_even: float = 0.5
    p_low: float = 0.1
    fix_accuracy_m: float = 100.0
    address_m: float = 200.0
    city_m: float = 5_000.0
    admin1_m: float = 75_000.0
    stay_area_m: float = 25_000.0
    growth_m_per_h: float = 5_000.0
    growth_max_m: float = 200_000.0
    swapped_far_m: float = 500_000.0
    swapped_near_m: float = 100_000.0
    failed_attempts: int = 3
    failed_channels: int = 2
    quake_gate: timedelta = timedelta(seconds=60)
    quake_gate_m: float = 100_000.0
    quake_gate_magnitude: float = 0.8
    aftershock: timedelta = timedelta(days=30)
    aftershock_min_m: float = 50_000.0
    advice_zone_level: int = 3
    affected_alert: int = 10

    def __post_init__(self) -> None:
        """Refuse what makes no sense; ``ValueError`` names the setting."""
        for name, value in msgspec.structs.asdict(self).items():
            if isinstance(value, timedelta):
                _within(name, value, timedelta(0), LONGEST, "a duration above 0, to ten years")
            elif "_m_" in f"{name}_":
                _within(name, value, 0.0, FARTHEST_M, f"metres above 0, to {FARTHEST_M:.0f}")
            elif isinstance(value, int) and value < 1:
                msg = f"{name} is {value}; it must be 1 or more"
                raise ValueError(msg)
        _within("quake_gate_magnitude", self.quake_gate_magnitude, 0.0, MAGNITUDE_MAX,
                "above 0, to 10")  # fmt: skip
        if not 0.0 < self.p_low < self.p_even < self.p_high <= 1.0:
            msg = (
                f"p_low {self.p_low}, p_even {self.p_even} and p_high {self.p_high} must be"
                " probabilities in rising order, above 0, to 1"
            )
            raise ValueError(msg)
        if self.advice_zone_level > LEVEL_MAX:
            msg = f"advice_zone_level is {self.advice_zone_level}; levels are 1 to {LEVEL_MAX}"
            raise ValueError(msg)

    def radius_m(self, precision: Precision) -> float:
        """Return the default 68 % radius of a filed place with a point."""
        return {
            Precision.POINT: self.fix_accuracy_m,
            Precision.ADDRESS: self.address_m,
            Precision.CITY: self.city_m,
        }.get(precision, self.admin1_m)


def _within(name: str, value: D, above: D, to: D, words: str) -> None:
    """Raise unless ``above`` < value <= ``to``; not a number is outside."""
    if not above < value <= to:
        msg = f"{name} is {value}; it must be {words}"
        raise ValueError(msg)


FAILED = frozenset({ContactOutcome.NO_ANSWER, ContactOutcome.WRONG_NUMBER})
"""Outcomes of a contact that reached nobody."""

FINENESS: dict[Precision, int] = {
    Precision.POINT: 0,
    Precision.ADDRESS: 1,
    Precision.CITY: 2,
    Precision.ADMIN1: 3,
    Precision.COUNTRY: 4,
}
"""Order of precisions, finest first."""
