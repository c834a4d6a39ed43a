"""Agentjobs: scheduled jobs written by AI agents, approved by people, run by Kubernetes."""

__version__ = "0.1.0"
