"""A real cluster with the operator installed: what its tests and its measurements share.

Unlike the rest of `testing`, this waits and reads clocks.
"""
