"""What every web interface shares: who may reach a view, and what each answer says to the browser."""

from flask import Flask

from onboarding.http import operator_guard, problem_pages, security_headers


def register(app: Flask) -> None:
    for part in (operator_guard, security_headers, problem_pages):
        part.register(app)
