"""`kubectl saj`: what people and pipelines touch. One file per command.

Formatting is pure: rows and `now` in, text out. Everything that needs the cluster goes through
`kube`, which runs the user's own kubectl: the same kubeconfig, the same rights. Nothing heavy is
imported before a command needs it, since `list` has to answer at once.
"""
