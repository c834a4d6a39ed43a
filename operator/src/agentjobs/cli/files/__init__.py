"""Files that people and agents write, read and written."""
