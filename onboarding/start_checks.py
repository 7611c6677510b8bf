"""Check at the start that a process can serve, and that real Slack apps have keys of their own."""

from onboarding.errors import SettingsProblem
from onboarding.runtime import Runtime


def check_ready(runtime: Runtime, keys_are_given: bool) -> None:
    """Check that the process can serve.

    Raises SettingsProblem if the database is not set up, or if keys are missing or open no stored value.
    """
    if not runtime.environments.is_ready():
        raise SettingsProblem(
            "DATABASE_URL: the database cannot be read, is empty or belongs to another version. Run `onboarding setup` first."
        )
    check_keys(runtime, keys_are_given)
    if not runtime.readiness.keys_open_secrets():
        raise SettingsProblem(
            "ENCRYPTION_KEYS: these keys decrypt none of the client secrets in the database. Set the keys that encrypted them. "
            "If they are lost, store each client secret again with `onboarding integration set`."
        )


def check_keys(runtime: Runtime, keys_are_given: bool, is_real: bool = False) -> None:
    """Check that real Slack apps do not use generated keys. Raises SettingsProblem.

    `is_real`: the caller is about to store the credentials of a real Slack app.
    """
    if keys_are_given or (runtime.practice.is_on() and not is_real):
        return
    raise SettingsProblem(
        "SECRET_KEY and ENCRYPTION_KEYS are required with a real Slack app. Set the same keys for the server and every command. "
        f"To keep the keys that practice mode generated, set SECRET_KEY_FILE={runtime.settings.instance}/secret_key and "
        f"ENCRYPTION_KEYS_FILE={runtime.settings.instance}/encryption_keys."
    )
