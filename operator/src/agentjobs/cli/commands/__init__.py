"""The commands of `kubectl saj`, one module each."""
