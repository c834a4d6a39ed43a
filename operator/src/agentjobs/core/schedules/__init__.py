"""When jobs start: the next starts, their description, and what became of those that passed."""
