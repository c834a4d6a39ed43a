"""The console: pages where people read, approve and watch, each in their own name.

It decides nothing and has no rights. Every read and write is made as the person who asks, so RBAC,
admission policies and the audit log hold as they do for kubectl.
"""
