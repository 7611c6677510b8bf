"""The WSGI object, `app:app`: the product, and the practice Slack below it while practice mode can be on."""

import fcntl
import multiprocessing
import os
import sys
from typing import IO

import click
from click.core import ParameterSource
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from onboarding import cli, files, parents, runtime, settings, start_checks, web
from onboarding.errors import SettingsProblem
from onboarding.jobs import key_uses
from onboarding.practice import PracticeApp, PracticeSlack, StateFileUnreadable, create_practice
from onboarding.services.practice import PRACTICE_PATH
from onboarding.settings import Settings


def create_app() -> Flask:
    """Return the app with the commands, for `flask --app app`. Each command reads the settings when it runs."""
    if settings.run_by_flask_command() and not _has_env_file():
        settings.forget_dotenv()
    shell = Flask("onboarding")
    cli.register(shell.cli)
    return shell


def _has_env_file() -> bool:
    """Return whether `flask --env-file` names a file."""
    context = click.get_current_context(silent=True)
    return context is not None and context.find_root().get_parameter_source("env_file") is not ParameterSource.DEFAULT


def site(configured: Settings, built: runtime.Runtime) -> Flask:
    """Return the product, with the practice Slack mounted below it if practice mode is possible."""
    product = web.create_app(configured, built)
    if not configured.practice_possible:
        return product

    def registered(client_id: str) -> PracticeApp | None:
        found = built.practice.registration(client_id)
        if found is None:
            return None
        return PracticeApp(
            client_id=found.client_id,
            client_secrets=(found.client_secret,),
            signing_secret=found.signing_secret,
            name=found.name,
            redirect_urls=found.redirect_urls,
        )

    # As the gateway calls the practice Slack: at the address where this process listens.
    events_url = f"http://{configured.own_host}:{configured.port}/slack/events"
    state = PracticeSlack(
        apps=registered,
        state_file=configured.instance / "practice.json",
        events_url=events_url,
    )
    state.guest_name = built.practice.workspace_name
    state.set_token_lifetime(configured.practice_token_seconds)
    state.issuer = f"{configured.origin}{PRACTICE_PATH}"
    practice = create_practice(state, files.templates(), files.static())
    product.extensions["practice"] = practice
    product.wsgi_app = DispatcherMiddleware(product.wsgi_app, {PRACTICE_PATH: practice.wsgi_app})  # type: ignore[method-assign]  # Flask documents this way
    return product


def _served() -> Flask:
    configured = settings.from_environ()
    built = runtime.build(configured, serves_requests=True)
    start_checks.check_ready(built, settings.keys_are_given())
    if configured.practice_possible and built.practice.is_on():
        _keep_alone(configured)
    product = site(configured, built)
    key_uses.start(built)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A worker of Granian would go on to serve if its parent was killed.
        parents.end_after(parent.join)
    # A server may load the app before it forks its workers.
    os.register_at_fork(after_in_child=lambda: _forked(built))
    return product


def _forked(built: runtime.Runtime) -> None:
    """Prepare a forked worker: threads do not survive a fork, and open connections belong to the parent."""
    if _alone:
        sys.stderr.write(
            "PRACTICE: practice mode runs as one web process; let the server load the app in its worker.\n"
        )
        os._exit(os.EX_CONFIG)
    built.database.after_fork()
    key_uses.start(built)


_alone: list[IO[str]] = []


def _keep_alone(configured: Settings) -> None:
    """Reject a second process: the practice Slack's state is in the memory of this one."""
    configured.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (configured.instance / "practice.lock").open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SettingsProblem("PRACTICE: practice mode runs as one web process, and one is running already.") from None
    _alone.append(lock)


def __getattr__(name: str) -> Flask:
    """Create `app` on first access, so that commands and tests can import this module without starting anything."""
    if name != "app" or settings.run_by_flask_command():
        raise AttributeError(name)
    try:
        made = _served()
    except SettingsProblem as problem:
        sys.exit(problem.sentence)
    except StateFileUnreadable as problem:
        sys.exit(str(problem))
    globals()["app"] = made
    return made
