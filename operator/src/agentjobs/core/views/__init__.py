"""Objects as the API server sends them, reduced to what decisions need."""
