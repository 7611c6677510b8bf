"""Give every template its filters and variables."""

import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from flask import Flask, g, request, url_for
from werkzeug.local import LocalProxy

from onboarding import texts
from onboarding.branding import NO_BRANDING, Branding
from onboarding.errors import StorageProblem
from onboarding.http import console_environment, languages, operator_guard
from onboarding.outcomes import OUTCOMES
from onboarding.pages.filters import FILTERS
from onboarding.runtime import current
from onboarding.services.sign_ins import Person
from onboarding.settings import DEFAULT_PORT


@dataclass(frozen=True)
class Product:
    """The host's product: the one whose Slack app the page is about, with its name and look. Empty if unknown."""

    branding: Branding = NO_BRANDING

    @property
    def name(self) -> str:
        return self.branding.name

    @property
    def logo_url(self) -> str | None:
        digest = self.branding.logo_digest
        return url_for("branding.logo", digest=digest) if digest else None

    @property
    def colors_url(self) -> str | None:
        color = self.branding.accent_color
        return url_for("branding.colors", color=color[1:]) if color else None

    @property
    def to(self) -> str:
        """Return the end of a phrase such as "Connect Slack to Northwind"."""
        return f" to {self.name}" if self.name else ""


def register(app: Flask) -> None:
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(
        status_texts=texts.STATUSES,
        outcome_texts=texts.OUTCOMES,
        outcomes=OUTCOMES,
        filter_texts=texts.FILTERS,
        sort_texts=texts.SORTS,
        environment_choices=environment_choices,
        missing_worker=missing_worker,
    )
    icon = getattr(app.jinja_env.get_template("parts/_icons.html").module, "icon")  # noqa: B009  # mypy knows no macros
    app.jinja_env.globals["icon"] = cache(icon)
    app.context_processor(_variables)


def _variables() -> dict[str, object]:
    settings = current().settings
    person: Person | None = None
    is_practice_on = settings.practice_possible
    try:
        person = operator_guard.signed_in_person()
        is_practice_on = is_practice_on and current().practice.is_on()
    except StorageProblem:
        # The page for this problem is rendered without the database.
        person = None
    # Only a page without a product of its own asks for this one, which may cost a query.
    product = LocalProxy(default_product)
    return {
        "product": product,
        "person": person,
        "practice_mode": is_practice_on,
        "program": program(settings.port),
        "environment_name": g.environment.name if "environment" in g else "",
        "language": languages.current_language(),
        "languages": languages.choices(),
    }


@dataclass(frozen=True)
class EnvironmentChoice:
    """An environment to switch to."""

    name: str
    url: str
    is_shown: bool


def environment_choices() -> list[EnvironmentChoice]:
    """Return the environments with their addresses: of the same list, else of the connections. Empty for only one."""
    try:
        shown, found = console_environment.environment(), current().environments.list_all()
    except StorageProblem:
        return []
    if len(found) < 2:
        return []
    is_list = request.method == "GET" and not request.view_args and console_environment.is_of_console(request.endpoint)
    endpoint = (is_list and request.endpoint) or "connections.index"
    urls = (console_environment.console_url(one.id, endpoint) for one in found)
    return [EnvironmentChoice(one.name, url, one.id == shown.id) for one, url in zip(found, urls, strict=True)]


def missing_worker() -> str | None:
    """Return the command that starts a worker of this server; None while one runs."""
    return None if current().workers.any_alive() else f"{program(current().settings.port)} worker"


def default_product() -> Product:
    """Return the only integration's product, with PRODUCT_NAME if it is set. With several, only that name."""
    if "default_product" not in g:
        branding, name = _only_integration(), current().settings.product_name
        g.default_product = Product(replace(branding, name=name or branding.name))
    found: Product = g.default_product
    return found


def _only_integration() -> Branding:
    try:
        integrations = console_environment.integrations()
    except StorageProblem:
        return NO_BRANDING
    return integrations[0].branding if len(integrations) == 1 else NO_BRANDING


@cache
def program(port: int) -> str:
    """Return how a shell in this folder calls this server's commands: a virtual environment is not on its PATH."""
    path = Path(sys.prefix, "bin", "onboarding")
    name = str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else "onboarding"
    return name if port == DEFAULT_PORT else f"PORT={port} {name}"
