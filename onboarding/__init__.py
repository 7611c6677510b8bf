"""Onboarding for Slack: customers connect their workspaces, and the host's programs use the connections."""

__version__ = "0.1.0"
