"""Code that every web interface shares: access to views, request ids, response headers, problem pages."""

from flask import Flask

from onboarding.http import (
    allowed_hosts,
    console_environment,
    form_checks,
    languages,
    operator_guard,
    problem_pages,
    request_body,
    security_headers,
    static_files,
    text_input,
)


def register(app: Flask) -> None:
    """Install the hooks of this package, except those of `request_id`, which come before the API's (see `web.py`)."""
    first = (languages, request_body, text_input, allowed_hosts, operator_guard, console_environment)
    for part in (*first, form_checks, security_headers, static_files, problem_pages):
        part.register(app)
