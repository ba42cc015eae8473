"""The pages that exist. A page is one module here and its line in ``PAGES``.

A module of this folder that is missing in ``PAGES`` fails a test.
"""

from dashboard.pages import PageModule
from dashboard.views import alerts, explore, health, officer, wall

PAGES: tuple[PageModule, ...] = (wall, officer, alerts, explore, health)
