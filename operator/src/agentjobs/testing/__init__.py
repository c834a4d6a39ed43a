"""An API server and the controllers around it, in memory, for tests that need no cluster.

Nothing here waits, draws a random number or reads a clock: the same calls give the same objects.
The product imports nothing from here.
"""
