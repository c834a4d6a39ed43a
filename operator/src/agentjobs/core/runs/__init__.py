"""The life of a run, from the request to its record and its end."""
