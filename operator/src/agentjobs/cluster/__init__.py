"""The cluster as the operator sees it: requests to the API server, and that server's clock."""
