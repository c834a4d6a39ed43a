"""When jobs start: the next starts, their words, and what became of those that passed."""
