"""How the tables came to be: a folder of revisions for each history."""
