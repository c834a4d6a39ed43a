"""The resources as types: what users write, what the operator answers.

The CRDs are generated from here.
"""
