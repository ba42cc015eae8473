"""The parts of the analyst's page: rows, SQL, following a cause."""
