"""Integrations: the credentials and settings of one Slack app each."""
