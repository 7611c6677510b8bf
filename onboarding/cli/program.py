"""The program `onboarding`: the same commands as `flask --app app`, without Flask's own."""

from flask import Flask

from onboarding import cli


def main() -> None:
    """Run the command that the arguments name. Installed as the console script `onboarding` (pyproject.toml)."""
    shell = Flask("onboarding")
    cli.register(shell)
    shell.cli.main(prog_name="onboarding")
