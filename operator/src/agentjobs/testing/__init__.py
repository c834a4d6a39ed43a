"""An API server and the controllers around it, in memory, for tests that need no cluster.

Nothing in these modules waits, draws a random number or reads a clock: the same calls give the same
objects. `real_cluster` is for a cluster that runs. The product imports nothing from here.
"""
