"""Walks a customer through connecting a Slack workspace, and keeps the connection."""

__version__ = "0.1.0"
