"""The services of one process, built once and read by pages, API and commands."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from onboarding import clock, concurrency, files
from onboarding.callers import Actor
from onboarding.outgoing.addresses import Reach
from onboarding.outgoing.sender import Sender
from onboarding.services.api_keys import ApiKeys
from onboarding.services.audit_log import AuditLog
from onboarding.services.channel_endpoints import Endpoints
from onboarding.services.connect_sessions import ConnectSessions
from onboarding.services.connections.bulk import Bulk, CreateLink
from onboarding.services.connections.create import ConnectionWriter
from onboarding.services.connections.disconnect import Disconnector
from onboarding.services.connections.front import Connections
from onboarding.services.connections.history import ConnectionHistory
from onboarding.services.connections.message import MessageSender
from onboarding.services.connections.query import ConnectionQueries
from onboarding.services.connections.verify import ConnectionVerifier
from onboarding.services.contexts import Contexts
from onboarding.services.credential_audit import CredentialAudit
from onboarding.services.demo_connections import DemoConnections
from onboarding.services.environments import Environments
from onboarding.services.idempotency import Idempotency
from onboarding.services.installations import Installations
from onboarding.services.installs.attempt_list import AttemptLists
from onboarding.services.installs.attempts import Attempts
from onboarding.services.installs.callback import InstallCallback
from onboarding.services.installs.complete import InstallCompleter
from onboarding.services.installs.connect import Sealers
from onboarding.services.installs.diagnosis import Diagnoser
from onboarding.services.installs.endpoints import InstallEndpoints
from onboarding.services.installs.front import Installs
from onboarding.services.installs.grants import Grants
from onboarding.services.installs.manage import ManagedConnections
from onboarding.services.installs.restart import StartElsewhere
from onboarding.services.installs.result import ResultReader
from onboarding.services.installs.setup import SetupStep
from onboarding.services.installs.start import InstallStarter
from onboarding.services.integrations.lifecycle import Integrations
from onboarding.services.key_rotation import KeyRotation
from onboarding.services.links.create import LinkWriter
from onboarding.services.links.front import Links
from onboarding.services.links.query import LinkQueries
from onboarding.services.links.records import NewLink
from onboarding.services.links.tokens import LinkTokens
from onboarding.services.operators import Operators
from onboarding.services.practice import PRACTICE_PATH, Practice
from onboarding.services.readiness import Readiness
from onboarding.services.retention import Retention
from onboarding.services.revocations import Revocations
from onboarding.services.sign_ins import SignIns
from onboarding.services.slack_events.forward import EventForwarder
from onboarding.services.slack_events.front import SlackEvents
from onboarding.services.slack_events.handle import StoredEvents
from onboarding.services.slack_events.lost import LostEvents
from onboarding.services.slack_events.receive import EventReceiver
from onboarding.services.slack_sign_in import SignInApps, SlackSignIn
from onboarding.services.subscribers import Subscribers
from onboarding.services.tokens.schedule import TokenRefresh
from onboarding.services.tokens.sealing import Tokens
from onboarding.services.tokens.source import TokenSource
from onboarding.services.webhooks.deliver import WebhookDelivering
from onboarding.services.webhooks.deliveries import WebhookDeliveries
from onboarding.services.webhooks.endpoints import WebhookEndpoints
from onboarding.services.webhooks.front import Webhooks
from onboarding.services.webhooks.secrets import EndpointSecrets
from onboarding.services.workers import Workers
from onboarding.services.workspace_checks import WorkspaceChecks
from onboarding.settings import Settings
from onboarding.slack.gateway import Gateway
from onboarding.slack.signin import SlackOpenId
from onboarding.store.database import Database
from onboarding.vault import Vault

EXTENSION = "onboarding"
#: Each install occupies a thread while it waits for Slack. Eight threads are reserved for pages and the API.
_MAX_WAITING_INSTALLS = concurrency.THREADS - 8


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    database: Database
    environments: Environments
    integrations: Integrations
    practice: Practice
    demo_connections: DemoConnections
    links: Links
    connect_sessions: ConnectSessions
    installs: Installs
    managed: ManagedConnections
    attempts: Attempts
    attempt_lists: AttemptLists
    diagnoser: Diagnoser
    connections: Connections
    connection_history: ConnectionHistory
    bulk: Bulk
    operators: Operators
    sign_ins: SignIns
    slack_sign_in: SlackSignIn
    api_keys: ApiKeys
    audit_log: AuditLog
    idempotency: Idempotency
    contexts: Contexts
    subscribers: Subscribers
    channel_endpoints: Endpoints
    slack_events: SlackEvents
    token_refresh: TokenRefresh
    workspace_checks: WorkspaceChecks
    key_rotation: KeyRotation
    revocations: Revocations
    retention: Retention
    readiness: Readiness
    workers: Workers
    webhooks: Webhooks


@dataclass(frozen=True)
class _Core:
    """The collaborators that many services share."""

    settings: Settings
    database: Database
    vault: Vault
    gateway: Gateway
    tokens: Tokens
    token_source: TokenSource
    revocations: Revocations
    installations: Installations
    credential_audit: CredentialAudit
    now: clock.Clock


def build(settings: Settings, now: clock.Clock = clock.now, *, serves_requests: bool = False) -> Runtime:
    """Build the services. Raises SettingsProblem for an invalid setting.

    `serves_requests`: limit how long a statement of PostgreSQL may take.
    """
    if settings.database.startswith("sqlite"):
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    core = _core(settings, Database(settings.database, serves_requests=serves_requests), now)
    database, vault, gateway, tokens = core.database, core.vault, core.gateway, core.tokens
    grants = Grants(database, vault, tokens, gateway, core.revocations)
    installs, connections, links = _installs(core, grants), _connections(core), _links(core)
    environments, attempts = Environments(database, files.migrations(), now), Attempts(database, now)
    practice_mode = Practice(database, vault, settings, now)
    sign_in_apps = SignInApps(tokens, practice_mode.is_on, settings.sign_in_redirect_uri)
    sending = _sending(settings, practice_mode.is_on, now)
    return Runtime(
        settings=settings,
        database=database,
        environments=environments,
        integrations=Integrations(database, vault, now),
        practice=practice_mode,
        demo_connections=DemoConnections(database, tokens, practice_mode.is_on, now),
        links=links,
        connect_sessions=ConnectSessions(database, now),
        installs=installs,
        managed=ManagedConnections(database, now),
        attempts=attempts,
        attempt_lists=AttemptLists(database, now),
        diagnoser=Diagnoser(attempts, settings.origin),
        connections=connections,
        connection_history=ConnectionHistory(database),
        bulk=Bulk(database, connections, _link_creator(environments, connections, links), gateway.wait, now),
        operators=Operators(database, settings, now),
        sign_ins=SignIns(database, practice_mode.is_on, now),
        slack_sign_in=SlackSignIn(database, sign_in_apps, SlackOpenId(gateway.pool, now), now),
        api_keys=ApiKeys(database, now),
        audit_log=AuditLog(database, now),
        idempotency=Idempotency(database, vault, now),
        contexts=Contexts(database, now),
        subscribers=Subscribers(database, now),
        channel_endpoints=Endpoints(database, vault, core.credential_audit, now),
        slack_events=_slack_events(core, sending),
        token_refresh=TokenRefresh(database, core.token_source, now),
        workspace_checks=WorkspaceChecks(database, now),
        key_rotation=KeyRotation(database, vault, now),
        revocations=core.revocations,
        retention=Retention(database, now, installs.expire, core.installations),
        readiness=Readiness(database, vault, practice_mode.is_on),
        workers=Workers(database),
        webhooks=_webhooks(core, sending),
    )


def _core(settings: Settings, database: Database, now: clock.Clock) -> _Core:
    vault, gateway = Vault(settings.vault_keys), Gateway()
    tokens = Tokens(vault, settings, _practice_slack(settings), now)
    token_source = TokenSource(database, tokens, gateway, now)
    revocations, audit = Revocations(database, vault, tokens, gateway, now), CredentialAudit(database, now)
    installations = Installations(tokens, revocations, now)
    return _Core(settings, database, vault, gateway, tokens, token_source, revocations, installations, audit, now)


def _installs(core: _Core, grants: Grants) -> Installs:
    settings, database, now = core.settings, core.database, core.now
    sealers = Sealers(core.tokens, grants, core.installations, InstallEndpoints(core.vault))
    completer = InstallCompleter(database, sealers, now)
    starter = InstallStarter(database, core.tokens, core.gateway, settings, now)
    return Installs(
        starter,
        InstallCallback(database, grants, completer, now, _MAX_WAITING_INSTALLS),
        SetupStep(database, grants, completer, now),
        ResultReader(database, now),
        StartElsewhere(database, settings, starter, now),
    )


def _connections(core: _Core) -> Connections:
    database, now = core.database, core.now
    return Connections(
        ConnectionWriter(database, core.tokens, core.installations, core.credential_audit, now),
        ConnectionQueries(database, core.tokens, core.credential_audit),
        ConnectionVerifier(database, core.token_source, core.gateway, now),
        Disconnector(database, core.installations, core.revocations, now),
        MessageSender(database, core.token_source, core.gateway, now),
    )


def _links(core: _Core) -> Links:
    database, tokens = core.database, LinkTokens(core.settings)
    return Links(LinkWriter(database, tokens, core.now), LinkQueries(database, core.now), tokens)


def _practice_slack(settings: Settings) -> tuple[str, str]:
    """Return the practice Slack's addresses: for browsers, below PUBLIC_URL, and for this server's own calls."""
    here = f"http://{settings.own_host}:{settings.port}"
    return f"{settings.origin}{PRACTICE_PATH}", f"{here}{PRACTICE_PATH}/api/"


@dataclass(frozen=True)
class _Sending:
    """How requests are sent to hosts."""

    sender: Sender
    reach: Callable[[], Reach]
    #: The longest wait between two tries, in seconds; 0 for no limit.
    max_wait: Callable[[], int]


def _sending(settings: Settings, is_practice: Callable[[], bool], now: clock.Clock) -> _Sending:
    def reach() -> Reach:
        return Reach(loopback=is_practice(), private=settings.webhook_allow_private == "on")

    def max_wait() -> int:
        return settings.practice_retry_seconds if is_practice() else 0

    return _Sending(Sender(reach, now, settings.webhook_proxy), reach, max_wait)


def _slack_events(core: _Core, sending: _Sending) -> SlackEvents:
    database, vault, now = core.database, core.vault, core.now
    return SlackEvents(
        EventReceiver(database, vault, now),
        StoredEvents(database, vault, core.tokens, core.gateway, now),
        EventForwarder(database, vault, sending.sender, now, sending.max_wait),
        LostEvents(database, now),
    )


def _webhooks(core: _Core, sending: _Sending) -> Webhooks:
    database, secrets, now = core.database, EndpointSecrets(core.vault), core.now
    return Webhooks(
        WebhookEndpoints(database, secrets, sending.reach, now),
        WebhookDeliveries(database, now),
        WebhookDelivering(database, secrets, sending.sender, now, sending.max_wait),
    )


def _link_creator(environments: Environments, connections: Connections, links: Links) -> CreateLink:
    """Return a function that creates a link with a connection's values, for its customer."""

    def create(environment_id: str, identifier: str, actor: Actor) -> str:
        found = connections.detail(environment_id, identifier).connection
        new = NewLink.to_reconnect(found, environments.by_id(environment_id).name)
        return links.create(new, actor).id

    return create


def current() -> Runtime:
    """Return the runtime of the current app."""
    found: Runtime = current_app.extensions[EXTENSION]
    return found
