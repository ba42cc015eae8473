"""Intake of files: what came, what became of it, nothing lost in silence.

Whatever cannot be accepted is put in the dead letters with its reason, and
the rest goes on. The same file twice changes nothing.
"""
