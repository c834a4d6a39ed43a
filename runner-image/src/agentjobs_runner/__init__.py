"""The runner: PID 1 of a run's container.

It starts one approved script, passes its output on, ends every other process and prints the
envelope, the machine-readable record of the run. Standard library only, and nothing from the
operator: the two meet in the envelope's format alone. It starts for every run, so what it imports
is counted in milliseconds.
"""
