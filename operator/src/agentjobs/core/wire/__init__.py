"""JSON from outside, measured and bounded before it is parsed."""
