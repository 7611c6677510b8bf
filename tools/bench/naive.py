"""Plain app that the goals name: `lean.py` with API keys and an operator's sign-in, both looked up for each request."""

import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence

from flask import Blueprint, Flask, abort, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from tools.bench import lean, naive_sessions, spread
from tools.bench.lean import Base, db

signin = Blueprint("signin", __name__)


class ApiKey(Base):
    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64), unique=True)


class Operator(Base):
    __tablename__ = "operators"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    sign_in_digest: Mapped[str] = mapped_column(String(64))


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    app = lean.create_app(environ)
    app.register_blueprint(signin)
    app.register_blueprint(naive_sessions.blueprint)
    app.before_request(check_access)
    return app


def set_up(integrations: Sequence[str]) -> tuple[str, str]:
    """Create the tables and their first rows. Returns an API key and an operator's sign-in token."""
    lean.set_up(integrations)
    key, token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    db.session.add(ApiKey(name="bench", digest=_digest(key)))
    db.session.add(Operator(email="ada@northwind.example", sign_in_digest=_digest(token)))
    db.session.commit()
    naive_sessions.allow(spread.ORIGIN)
    return key, token


def check_access() -> ResponseReturnValue | None:
    checks = {"api": check_key, "pages": check_session}
    # A poll has the session's token instead.
    is_for_key = request.blueprint == "sessions" and request.method == "POST"
    check = check_key if is_for_key else checks.get(request.blueprint or "")
    return check() if check else None


def check_key() -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "ApiKey":
        abort(401, "Missing authorization header")
    g.api_key = db.session.scalar(select(ApiKey).where(ApiKey.digest == _digest(key)))
    if g.api_key is None:
        abort(401, "API Key not found")


def check_session() -> ResponseReturnValue | None:
    g.operator = db.session.get(Operator, session.get("operator_id", 0))
    return None if g.operator else ("Sign in first.", 401)


@signin.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    query = select(Operator).where(Operator.sign_in_digest == _digest(request.form["token"]))
    operator = db.session.scalar(query)
    if operator is None:
        abort(401)
    session["operator_id"] = operator.id
    return redirect(url_for("pages.connections"), 303)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
