"""Geometry: pure functions over values. Imports ``schemas`` only."""
