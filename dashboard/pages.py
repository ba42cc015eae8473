"""What a page is, and what it is given to draw itself."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from sqlalchemy import Engine

from dashboard.words import Words
from streams.serving.place import Place


class Page(NamedTuple):
    """One page: its catalogue and address, who sees it, where it stands.

    ``name`` is the file in ``dashboard/views`` and in ``dashboard/text``, and
    the path in the address bar. Its title is the key ``page_<name>`` of
    ``common.toml``. ``icon`` is an emoji, or empty: a ``:material/`` icon would
    be fetched from outside. The page of the lowest ``order`` opens first.
    """

    name: str
    icon: str
    roles: frozenset[str]
    order: int


class Around(NamedTuple):
    """What every page is rendered with.

    ``store`` opens the serving store read-only and raises ``StoreFailedError``
    with a sentence. ``role`` is "officer" until login exists; ``user`` is what
    the person typed as their name, empty until then. ``deliveries`` is
    where they are, if a dispatcher has ever run; ``api`` is the base URL of the
    engine's API.
    """

    words: Words
    language: str
    role: str
    user: str
    store: Callable[[], Engine]
    deliveries: Place
    api: str


class PageModule(Protocol):
    """A module of ``dashboard/views``: its page, and how it is rendered."""

    PAGE: Page

    def render(self, around: Around) -> None:
        """Draw the page."""


def pages_for(role: str, pages: Iterable[PageModule]) -> tuple[PageModule, ...]:
    """Return the pages that a role may see, in their order."""
    allowed = [module for module in pages if role in module.PAGE.roles]
    return tuple(sorted(allowed, key=lambda module: module.PAGE.order))
