"""How jobs, runs and changes are shown to people: pure, and without the colours of a terminal or a page."""
