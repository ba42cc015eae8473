"""Every threshold of presence, exposure and ledger, in one place.

Defaults are those of the design, section 4; docs/semantics.md says what each
does.
"""

from datetime import timedelta

import msgspec

from schemas.codelists import ContactOutcome, Precision


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
    clamp_future: timedelta = timedelta(minutes=5)
    quake_gate: timedelta = timedelta(seconds=60)
    quake_gate_m: float = 100_000.0
    quake_gate_magnitude: float = 0.8
    aftershock: timedelta = timedelta(days=30)
    aftershock_min_m: float = 50_000.0
    assumed_depth_m: float = 10_000.0
    advice_zone_level: int = 3
    affected_alert: int = 10

    def radius_m(self, precision: Precision) -> float:
        """Return the default 68 % radius of a filed place with a point."""
        return {
            Precision.POINT: self.fix_accuracy_m,
            Precision.ADDRESS: self.address_m,
            Precision.CITY: self.city_m,
        }.get(precision, self.admin1_m)


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
