"""`keys generate`: print a new key."""

import click

from onboarding.cli.usage import Group
from onboarding.settings import generate_key

group = Group("keys", help="Keys of this deployment.")


@group.command()
def generate() -> None:
    """Print 32 random bytes in URL-safe base64, for SECRET_KEY or ENCRYPTION_KEYS."""
    click.echo(generate_key())
