"""What the operator writes for Kubernetes to run."""
