"""The cluster as the operator sees it: requests, caches, leadership. Nothing outside this folder imports the Kubernetes client."""
