"""`keys generate`: print a new key. `keys rotate`: encrypt every stored value with the newest one."""

import sys

import click

from onboarding.cli.shell import json_option, open_runtime, print_result, print_text, shell_actor
from onboarding.cli.usage import Group
from onboarding.kept_keys import generate_key
from onboarding.services.key_rotation import Rotated

group = Group("keys", help="Keys that sign and encrypt.")


@group.command()
def generate() -> None:
    """Print a random key for SECRET_KEY or ENCRYPTION_KEYS.

    It has 32 random bytes in URL-safe base64.
    """
    print_text(generate_key())


@group.command()
@json_option
def rotate(as_json: bool) -> None:
    """Encrypt every stored value with the newest key.

    That is the first key of ENCRYPTION_KEYS. The server can run in the meantime.

    Exit code 1: some values are still encrypted with an older key, or no key decrypts them.
    """
    with open_runtime() as runtime:
        rotation, progress = runtime.key_rotation, Rotated(0, 0)
        with click.progressbar(length=rotation.count(), label="Encrypting again", file=sys.stderr) as bar:
            for reached in rotation.run(shell_actor()):
                bar.update(reached.done - progress.done)
                progress = reached
    members: dict[str, object] = {
        "encrypted": progress.done - progress.unreadable,
        "unreadable": progress.unreadable,
        "left": progress.left,
    }
    print_result(as_json, members, lambda: _lines(progress))
    if progress.left:
        sys.exit(1)


def _lines(progress: Rotated) -> list[str]:
    lines = [f"Values encrypted with the newest key: {progress.done - progress.unreadable}."]
    if progress.unreadable:
        lines.append(
            f"Values that no key of ENCRYPTION_KEYS decrypts: {progress.unreadable}. Add their key, or let the customers "
            "connect again."
        )
    if not progress.left:
        lines.append("You can remove the older keys from ENCRYPTION_KEYS now.")
    elif progress.left > progress.unreadable:
        lines.append(
            f"Values that another process has encrypted with an older key: {progress.left - progress.unreadable}. "
            "Give every process the same ENCRYPTION_KEYS, restart them, and run this command again."
        )
    return lines
