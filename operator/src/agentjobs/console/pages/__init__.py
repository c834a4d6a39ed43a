"""The pages. Each reads as the person who asks, and shows what it read."""
