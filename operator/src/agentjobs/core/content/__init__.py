"""What is approved: texts, packages, the digest, and how people see a change."""
