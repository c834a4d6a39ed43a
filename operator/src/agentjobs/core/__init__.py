"""The product's decisions, as pure functions of what was observed and of the time.

Nothing here reads a clock, the network, the environment or a random source, logs, or imports Kopf or a Kubernetes client.
What changes over time is an argument. If a rule needs I/O to be checked, it does not belong here.
"""
