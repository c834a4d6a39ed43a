"""Runs that are started by events and by other runs."""
