"""The program `onboarding`: the same commands as `flask --app app`, without Flask's own."""

from onboarding import cli
from onboarding.cli.usage import Group


def main() -> None:
    """Run the command that the arguments name. Installed as the console script `onboarding` (pyproject.toml)."""
    program = Group("onboarding", help="Onboarding for Slack: serve, set up, and look after connections.")
    cli.register(program)
    program.main(prog_name="onboarding")
