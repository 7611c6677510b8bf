"""Connect sessions of the plain app: a table, a random token stored as its digest, one query per fact of a poll."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError, fields, validate
from sqlalchemy import DateTime, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from tools.bench import lean
from tools.bench.lean import Base, CamelCase, ChannelConnection, Integration, db

blueprint = Blueprint("sessions", __name__, url_prefix="/v1/connect-sessions")


class AllowedOrigin(Base):
    __tablename__ = "allowed_origins"

    id: Mapped[int] = mapped_column(primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"), index=True)
    origin: Mapped[str] = mapped_column(String(255))


class ConnectSession(Base):
    __tablename__ = "connect_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(String(50), unique=True)
    token_digest: Mapped[str] = mapped_column(String(64))
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"))
    subscriber_id: Mapped[str | None] = mapped_column(String(255))
    context_key: Mapped[str] = mapped_column(Text)
    return_url: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20), default="created")
    outcome: Mapped[str | None] = mapped_column(String(40))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SessionSchema(CamelCase):
    integration_identifier = fields.String(required=True)
    subscriber_id = fields.String(validate=validate.Length(1, 255))
    context = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    return_url = fields.URL(schemes={"http", "https"})
    reference = fields.String(validate=validate.Length(1, 100))
    expires_in = fields.Integer(load_default=1800, validate=validate.Range(60, 86_400))


@blueprint.post("")
def create() -> ResponseReturnValue:
    """The caller has been authenticated by `naive.check_access`."""
    try:
        body = SessionSchema().load(request.get_json())
    except ValidationError as error:
        return jsonify(statusCode=422, message="Validation Error", errors=error.messages), 422
    integration = db.session.scalar(select(Integration).where(Integration.identifier == body["integration_identifier"]))
    if integration is None:
        abort(404, f"Integration not found: {body['integration_identifier']}")
    token = f"cs_{secrets.token_urlsafe(32)}"
    session = ConnectSession(
        identifier=f"cs_{secrets.token_hex(8)}",
        token_digest=_digest(token),
        integration_id=integration.id,
        subscriber_id=body.get("subscriber_id"),
        context_key=",".join(sorted(f"{kind}:{name}" for kind, name in body["context"].items())),
        return_url=body.get("return_url"),
        reference=body.get("reference"),
        expires_at=datetime.now(UTC) + timedelta(seconds=body["expires_in"]),
    )
    db.session.add(session)
    db.session.commit()
    shown: dict[str, object] = {"id": session.identifier, "token": token, "url": f"{request.host_url}connect/{token}"}
    return jsonify(**shown, expiresAt=session.expires_at.isoformat()), 201


@blueprint.get("/<identifier>")
def retrieve(identifier: str) -> ResponseReturnValue:
    session = db.session.scalar(select(ConnectSession).where(ConnectSession.identifier == identifier))
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if session is None or not secrets.compare_digest(session.token_digest, _digest(token)):
        abort(404, f"Connect session '{identifier}' not found")
    origin = request.headers.get("Origin", "")
    allowed = select(AllowedOrigin.origin).where(AllowedOrigin.integration_id == session.integration_id)
    if origin not in db.session.scalars(allowed).all():
        abort(403, "This origin is not allowed")
    connection = db.session.scalar(
        select(ChannelConnection).where(
            ChannelConnection.integration_id == session.integration_id,
            ChannelConnection.subscriber_id == session.subscriber_id,
            ChannelConnection.context_key == session.context_key,
        )
    )
    shown: dict[str, object] = {"id": session.identifier, "state": session.state, "outcome": session.outcome}
    if connection is not None:
        shown["connection"] = {
            "identifier": connection.identifier,
            "status": connection.status,
            "workspaceName": connection.workspace_name,
        }
    answer = jsonify(**shown, expiresAt=session.expires_at.isoformat(), reference=session.reference)
    answer.headers.update({"Access-Control-Allow-Origin": origin, "Vary": "Origin"})
    return answer


def allow(origin: str) -> None:
    """Allow an origin for every integration."""
    for integration in db.session.scalars(select(lean.Integration)):
        db.session.add(AllowedOrigin(integration_id=integration.id, origin=origin))
    db.session.commit()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
