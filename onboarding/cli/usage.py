"""Commands that print a usage error in one line, such as a missing option or an invalid choice."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
from click.exceptions import NoArgsIsHelpError

from onboarding.characters import escape

_PROGRAM = "onboarding"


class UsageProblem(click.UsageError):
    """A click error that is shown in one line: the command, the fault, and where its options are listed."""

    def __init__(self, error: click.UsageError, context: click.Context) -> None:
        super().__init__(error.message, error.ctx or context)
        self._line = _line(error.format_message(), error.ctx or context)

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self._line, file=file, err=True)


class Command(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _in_one_line(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _in_one_line(ctx):
            return super().invoke(ctx)


class Group(Command, click.Group):
    """A group of such commands. Without a command, it prints its help."""

    command_class = Command


@contextmanager
def _in_one_line(context: click.Context) -> Iterator[None]:
    try:
        yield
    except (UsageProblem, NoArgsIsHelpError):
        raise
    except click.UsageError as error:
        raise UsageProblem(error, context) from None


def _line(message: str, context: click.Context) -> str:
    command = " ".join([_PROGRAM, *_names(context)])
    # click separates the choices of a missing option by new lines.
    fault = " ".join(message.split()).rstrip(".")
    return escape(f"{command}: {fault}. See `{command} --help`.")


def _names(context: click.Context) -> list[str]:
    """Return the names of the command and its groups, without the root's: `flask` can run the commands as well."""
    if context.parent is None:
        return []
    return [*_names(context.parent), context.info_name or ""]
