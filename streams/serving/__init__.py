"""The serving store: read tables made from the log, and questions to them."""
