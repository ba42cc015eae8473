"""Messages: the words of Rollcall as validated, immutable values.

Imports nothing of ours. The types in this package are the source; JSON Schemas
in ``published/`` are generated from them (``rollcall schemas export``).
"""
