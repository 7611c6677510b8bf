"""`python -m onboarding.practice`: the practice Slack as a separate process, for one app, on its own port."""

import argparse
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from onboarding.practice import PracticeApp, PracticeSlack, StateFileUnreadable, create_practice
from onboarding.practice.serving import make_practice_server

#: Templates and static files are beside the package in a checkout, and inside it in a wheel.
_PACKAGE = Path(__file__).resolve().parent.parent


def main(argv: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    app = PracticeApp(
        client_id=given.client_id,
        client_secrets=tuple(given.client_secret),
        signing_secret=given.signing_secret,
        name=given.name,
        redirect_urls=tuple(given.redirect_url),
    )
    try:
        state = PracticeSlack(apps={app.client_id: app}.get, state_file=given.state_file, events_url=given.events_url)
    except StateFileUnreadable as problem:
        raise SystemExit(str(problem)) from None
    practice = create_practice(state, _folder("templates"), _folder("static"))
    try:
        server = make_practice_server(practice, given.port)
    except OSError as problem:
        raise SystemExit(f"Port {given.port} cannot be used: {os.strerror(problem.errno or 0)}.") from None
    logging.getLogger(__name__).info("Practice Slack: http://127.0.0.1:%s/ (Ctrl-C ends it)", server.port)
    # A shell starts background processes with SIGINT ignored; a SIGINT that is sent on purpose must still stop this
    # one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m onboarding.practice", description="A practice Slack for one app.")
    parser.add_argument("--port", type=int, default=4003)
    parser.add_argument("--name", default="Practice app", help="what the consent page calls the app")
    parser.add_argument("--client-id", required=True)
    parser.add_argument(
        "--client-secret",
        required=True,
        action="append",
        help="the app's client secret; may be repeated, because Slack accepts two during a change",
    )
    parser.add_argument(
        "--redirect-url", required=True, action="append", help="a redirect URL of the app; may be repeated"
    )
    parser.add_argument("--signing-secret", default="practice-signing-secret")
    parser.add_argument("--events-url", help="the URL that app_uninstalled and tokens_revoked are sent to")
    parser.add_argument("--state-file", type=Path, help="keeps the state over a restart")
    return parser


def _folder(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


if __name__ == "__main__":
    main()
