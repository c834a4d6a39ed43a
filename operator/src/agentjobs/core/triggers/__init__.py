"""Runs that events and other runs start."""
