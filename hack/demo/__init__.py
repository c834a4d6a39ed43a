"""A job's life on a cluster with agentjobs: written, read, approved, run, and its record read back.

`make demo` starts a local cluster and calls this. For another cluster set KUBECONFIG and have
kubectl on PATH. Every command is shown as you would type it in the checkout. Running it again
reuses what is there.
"""
