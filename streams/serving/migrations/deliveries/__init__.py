"""Revisions of the deliveries."""
