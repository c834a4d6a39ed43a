"""What the containers of a run say at their end."""
