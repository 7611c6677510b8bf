"""The same feature as a competent developer writes it in an afternoon, open to every caller: no API keys, no sign-in.

Flask-SQLAlchemy, marshmallow and Jinja as their own documentation shows them. `make bench` serves it with gunicorn.
`naive.py` adds what an application needs before it can be deployed: keys and sign-in.
"""

import os
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import Fernet
from flask import Blueprint, Flask, abort, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from sqlalchemy import JSON, DateTime, ForeignKey, String, Text, UniqueConstraint, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from werkzeug.exceptions import HTTPException


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)
pages = Blueprint("pages", __name__)
api = Blueprint("api", __name__, url_prefix="/v1/channel-connections")


def _now() -> datetime:
    return datetime.now(UTC)


class Integration(Base):
    __tablename__ = "integrations"

    id: Mapped[int] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), unique=True)


class ChannelConnection(Base):
    __tablename__ = "channel_connections"
    __table_args__ = (UniqueConstraint("integration_id", "subscriber_id", "context_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), unique=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"))
    subscriber_id: Mapped[str | None] = mapped_column(String(255), index=True)
    context_keys: Mapped[list[str]] = mapped_column(JSON)
    context_key: Mapped[str] = mapped_column(Text)
    workspace_id: Mapped[str] = mapped_column(String(100))
    workspace_name: Mapped[str | None] = mapped_column(String(255))
    bot_user_id: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20), default="unknown")
    access_token: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now, index=True)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now, onupdate=_now)

    integration: Mapped[Integration] = relationship()

    @property
    def mode(self) -> str:
        return "subscriber" if self.subscriber_id else "shared"


class CamelCase(Schema):
    """Convert between camel-case names in JSON and names with underscores in Python."""

    class Meta:
        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        first, *rest = field_name.split("_")
        field_obj.data_key = first + "".join(word.capitalize() for word in rest)


class WorkspaceSchema(CamelCase):
    id = fields.String(required=True, validate=validate.Length(1, 100))
    name = fields.String()
    bot_user_id = fields.String()


class AuthSchema(CamelCase):
    access_token = fields.String(required=True, validate=validate.Length(1, 4096))


class ConnectionSchema(CamelCase):
    integration_identifier = fields.String(required=True)
    workspace = fields.Nested(WorkspaceSchema, required=True)
    auth = fields.Nested(AuthSchema, required=True)
    identifier = fields.String(validate=validate.Length(1, 255))
    subscriber_id = fields.String(validate=validate.Length(1, 255))
    context = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    connection_mode = fields.String(validate=validate.OneOf(["subscriber", "shared"]))


class AnswerSchema(CamelCase):
    identifier = fields.String()
    channel = fields.Constant("chat")
    provider_id = fields.Constant("slack")
    integration_identifier = fields.String(attribute="integration.identifier")
    subscriber_id = fields.String()
    context_keys = fields.List(fields.String())
    workspace = fields.Method("show_workspace")
    auth = fields.Method("show_auth")
    connection_mode = fields.String(attribute="mode")
    status = fields.String()
    created_at = fields.DateTime()
    updated_at = fields.DateTime()

    def show_workspace(self, connection: ChannelConnection) -> dict[str, str | None]:
        return {
            "id": connection.workspace_id,
            "name": connection.workspace_name,
            "botUserId": connection.bot_user_id,
        }

    def show_auth(self, connection: ChannelConnection) -> dict[str, str]:
        return {"accessToken": _fernet().decrypt(connection.access_token.encode()).decode()}


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    app = Flask(__name__)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=environ["DATABASE_URL"],
        SECRET_KEY=environ["SECRET_KEY"],
        FERNET=Fernet(environ["ENCRYPTION_KEYS"]),
    )
    db.init_app(app)
    app.register_blueprint(api)
    app.register_blueprint(pages)
    app.register_error_handler(HTTPException, _problem)
    return app


def set_up(integrations: Sequence[str]) -> None:
    """Create the tables and the integrations."""
    db.create_all()
    db.session.add_all(Integration(identifier=identifier) for identifier in integrations)
    db.session.commit()


@api.post("")
def create() -> ResponseReturnValue:
    try:
        body = ConnectionSchema().load(request.get_json())
    except ValidationError as error:
        return jsonify(statusCode=422, message="Validation Error", errors=error.messages), 422
    connection = _read(body)
    db.session.add(connection)
    db.session.commit()
    return jsonify(AnswerSchema().dump(connection)), 201


@api.get("/<identifier>")
def retrieve(identifier: str) -> ResponseReturnValue:
    query = select(ChannelConnection).where(ChannelConnection.identifier == identifier)
    connection = db.session.scalar(query)
    if connection is None:
        abort(404, f"Channel connection with identifier '{identifier}' not found")
    return jsonify(AnswerSchema().dump(connection))


@api.get("")
def index() -> ResponseReturnValue:
    page = db.paginate(_newest(), per_page=request.args.get("limit", 10, int), max_per_page=100)
    return jsonify(
        data=AnswerSchema(many=True).dump(page.items),
        next=page.next_num,
        previous=page.prev_num,
        totalCount=page.total,
    )


@pages.get("/connections")
def connections() -> ResponseReturnValue:
    page = db.paginate(_newest(), per_page=25)
    return render_template("connections.html", page=page, integrations=db.session.scalars(select(Integration)).all())


def _newest() -> Any:
    query = select(ChannelConnection).order_by(ChannelConnection.created_at.desc(), ChannelConnection.id.desc())
    if subscriber := request.args.get("subscriberId"):
        query = query.where(ChannelConnection.subscriber_id == subscriber)
    if status := request.args.get("status"):
        query = query.where(ChannelConnection.status == status)
    if integration := request.args.get("integrationIdentifier"):
        query = query.join(Integration).where(Integration.identifier == integration)
    return query


def _read(body: dict[str, Any]) -> ChannelConnection:
    context_keys = [f"{kind}:{name}" for kind, name in body["context"].items()]
    subscriber = None if body.get("connection_mode") == "shared" else body.get("subscriber_id")
    if subscriber is None and not context_keys:
        abort(400, "Either subscriberId or context must be provided")
    integration = db.session.scalar(select(Integration).where(Integration.identifier == body["integration_identifier"]))
    if integration is None:
        abort(404, f"Integration not found: {body['integrationIdentifier']}")
    same = select(ChannelConnection).where(
        ChannelConnection.integration_id == integration.id,
        ChannelConnection.subscriber_id == subscriber,
        ChannelConnection.context_key == ",".join(sorted(context_keys)),
    )
    if db.session.scalar(same) is not None:
        abort(409, "A channel connection already exists for this subscriber and context")
    identifier = body.get("identifier") or f"chconn_{secrets.token_hex(6)}"
    if db.session.scalar(select(ChannelConnection).where(ChannelConnection.identifier == identifier)) is not None:
        abort(409, f"Channel connection with identifier '{identifier}' already exists")
    return ChannelConnection(
        identifier=identifier,
        integration=integration,
        subscriber_id=subscriber,
        context_keys=context_keys,
        context_key=",".join(sorted(context_keys)),
        workspace_id=body["workspace"]["id"],
        workspace_name=body["workspace"].get("name"),
        bot_user_id=body["workspace"].get("bot_user_id"),
        access_token=_fernet().encrypt(body["auth"]["access_token"].encode()).decode(),
    )


def _problem(error: HTTPException) -> ResponseReturnValue:
    return jsonify(
        statusCode=error.code, path=request.path, message=error.description, error=error.name
    ), error.code or 500


def _fernet() -> Fernet:
    fernet: Fernet = current_app.config["FERNET"]
    return fernet
