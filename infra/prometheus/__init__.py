"""Prometheus from Debian's package, for tests; its configuration and rules are beside this."""

from infra.prometheus.server import Prometheus

__all__ = ["Prometheus"]
