"""How sure it is that an observed point lies inside an area."""

import math

SIGMA_PER_RADIUS = 1.0 / 1.51
"""Standard deviation per 68 % radius of a circular normal error.

A circular normal distribution holds 68 % within 1.51 sigma:
1 - exp(-1.51**2 / 2) = 0.680.
"""

CERTAIN_RADII = 2.5
"""Beyond this many radii the result is 0 or 1: Phi(1.51 x 2.5) = 0.99992."""


def probability_inside(signed_m: float, radius_m: float) -> float:
    """Return P(inside), rounded to 3 decimals.

    ``signed_m`` is the distance to the boundary, positive inside;
    ``radius_m`` the 68 % radius. Phi(signed / sigma) takes the boundary as
    straight over the size of the error, which reference/geo.md section 4
    measures as good enough.
    """
    if radius_m <= 0.0:
        return 1.0 if signed_m >= 0 else 0.0
    if abs(signed_m) > CERTAIN_RADII * radius_m:
        return 1.0 if signed_m > 0 else 0.0
    return round(0.5 * math.erfc(-signed_m / (radius_m * SIGMA_PER_RADIUS * math.sqrt(2.0))), 3)
