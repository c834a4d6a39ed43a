"""How jobs, runs and changes are shown to people: pure, without colours of a terminal or page."""
