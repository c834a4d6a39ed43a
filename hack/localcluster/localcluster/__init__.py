"""A real one-node Kubernetes cluster as plain processes, in namespaces of its own.

Nothing here knows the operator: the cluster can be used for any project. Only the standard library
is imported, since the commands run before any virtual environment exists. Every module is named
after what it knows; `lifecycle` joins them.
"""
