"""Revisions of the serving store."""
