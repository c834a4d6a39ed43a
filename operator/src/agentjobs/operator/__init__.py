"""The operator: the one process that watches resources and acts on them."""
