"""Lists and details of connections, for the console and for the API."""

import time
from collections.abc import Iterator
from dataclasses import replace

import structlog

from onboarding import documents, identity
from onboarding.callers import ApiCaller
from onboarding.connection_rows import connection_of, connection_without_token
from onboarding.documents import CHANNEL, PROVIDER_ID, Connection
from onboarding.errors import Refused, VaultProblem, unknown_connection
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.sealed import Sealed
from onboarding.services.connections import records
from onboarding.services.connections import search as search_fields
from onboarding.services.connections.records import ConnectionQuery, ConsoleList, ConsoleSearch, Detail, TokenMark
from onboarding.services.credential_audit import CredentialAudit, CredentialKind
from onboarding.services.tokens.sealing import Tokens
from onboarding.store import (
    connection_documents,
    connection_filters,
    connection_lists,
    connections,
    integrations,
    pagination,
    workspace_holders,
)
from onboarding.store.connection_documents import ConnectionRow
from onboarding.store.connection_filters import ConnectionFilter, PreparedFilter
from onboarding.store.cursors import Position
from onboarding.store.database import Database, Rows
from onboarding.store.pagination import StorePageRequest

PAGE_SIZE = 25
#: If more connections match, the console shows no exact number of them, and no exact position.
CONSOLE_COUNT_CAP = connection_lists.MAX_SORTED
#: Counting more connections than this takes longer than reading a page, so the count is kept for some seconds.
_QUICK_COUNT = 1000
_COUNT_KEPT_SECONDS = 5.0
_COUNTS_KEPT = 1000
_READ_AT_A_TIME = 500
_LOG = structlog.get_logger(__name__)


class ConnectionQueries:
    def __init__(self, database: Database, tokens: Tokens, credential_audit: CredentialAudit) -> None:
        self._database, self._tokens, self._credential_audit = database, tokens, credential_audit
        #: By environment, filter and cap: a count, and the monotonic time until which it is used.
        self._counted: dict[tuple[object, ...], tuple[int, float]] = {}

    def page(self, environment_id: str, search: ConsoleSearch, after: str | None, before: str | None) -> ConsoleList:
        """Return a page of the console's list without tokens. Raises Refused for an invalid cursor."""
        with self._database.rows() as rows:
            read = search_fields.read(rows, environment_id, search)
            asked = PageRequest(PAGE_SIZE, after or None, before if not after else None, read.order, read.descending)
            kinds = connection_lists.ORDER_KINDS[read.order]
            request = pagination.store_page_request("connections", environment_id, asked, kinds)
            prepared, total = self._prepare(rows, environment_id, read.filter, CONSOLE_COUNT_CAP)
            page_rows, ahead = connection_lists.page(rows, prepared, request, total), 0
            if page_rows.rows and page_rows.previous:
                ahead = connection_lists.count_ahead(rows, prepared, request, page_rows.rows[0], total)
        page = pagination.page_of(request, page_rows, total, CONSOLE_COUNT_CAP, self._connection)
        first = min(ahead, CONSOLE_COUNT_CAP) + 1
        return ConsoleList(page.rows, page.next, page.previous, page.total, page.total_capped, first, read.unknown)

    def each(self, environment_id: str, search: ConsoleSearch) -> Iterator[Connection]:
        """Return an iterator over every connection of the console's list, without tokens.

        The rows are read in pages, so memory stays small and transactions short. Rows that are added or removed in the
        meantime make no other row appear twice or be missed. Raises Refused for a filter whose value is unknown, before
        the first row.
        """
        with self._database.rows() as rows:
            read = search_fields.read(rows, environment_id, search)
            if read.unknown:
                raise Refused(f"The filter {read.unknown[0]} has an unknown value.", read.unknown[0])
            prepared, matches = self._prepare(rows, environment_id, read.filter, CONSOLE_COUNT_CAP)
        return self._each(prepared, StorePageRequest(_READ_AT_A_TIME, None, None, read.order, read.descending), matches)

    def _each(self, prepared: PreparedFilter, request: StorePageRequest, matches: int) -> Iterator[Connection]:
        after: Position | None = None
        while True:
            with self._database.rows() as rows:
                page = connection_lists.page(rows, prepared, replace(request, after=after), matches)
            yield from map(self._connection, page.rows)
            after = page.next
            if after is None:
                return

    def list(self, caller: ApiCaller, request: PageRequest, query: ConnectionQuery) -> Page[Connection]:
        """Return a page of the API's list, with tokens where the caller may see them; that read is recorded.

        Raises Refused for an invalid cursor, StorageProblem.
        """
        environment_id, with_tokens = caller.environment.id, caller.may_see_secrets
        store_request = pagination.store_page_request("connections", environment_id, request)
        # The documented API knows other channels and providers. No connection has them.
        if query.channel not in (None, CHANNEL) or query.provider_id not in (None, PROVIDER_ID):
            return Page((), None, None, 0, False)
        with self._database.rows() as rows:
            wanted = self._filter(rows, environment_id, query)
            prepared, total = self._prepare(rows, environment_id, wanted, COUNT_CAP)
            page_rows = connection_lists.page(rows, prepared, store_request, total)
        page = pagination.page_of(
            store_request, page_rows, total, COUNT_CAP, lambda row: self._connection(row, with_tokens)
        )
        if with_tokens and page.rows:
            self._credential_audit.record_list(caller, CredentialKind.CONNECTION, query, page.total)
        return page

    def retrieve(self, caller: ApiCaller, identifier: str) -> Connection:
        """Return a connection. Its token is included, and the read is recorded, where the caller may see it.

        Raises NotFound, StorageProblem.
        """
        with self._database.rows() as rows:
            row = connection_documents.documented(rows, caller.environment.id, identifier)
        if row is None:
            raise unknown_connection(identifier)
        found = self._connection(row, caller.may_see_secrets)
        if caller.may_see_secrets:
            self._credential_audit.record(caller, CredentialKind.CONNECTION, identifier)
        return found

    def current_token(self, caller: ApiCaller, mark: TokenMark) -> str | None:
        """Return the access token for a repeated response, and record the read.

        Empty if the caller may not see it, if Slack has ended the access, or if the connection was changed since and
        its token may belong to another workspace. None if the connection is gone or its token cannot be decrypted.
        Raises StorageProblem.
        """
        with self._database.rows() as rows:
            row = connections.token_of(rows, caller.environment.id, mark.connection_id)
        if row is None:
            return None
        if row.installation_id is None or row.access_token is None:
            # Slack has ended the access since.
            return ""
        token = self._open(row.installation_id, row.access_token, mark.identifier)
        if token is None:
            return None
        is_same = documents.timestamp(row.updated_at) == mark.updated_at or records.token_digest(token) == mark.digest
        if not is_same or not caller.may_see_secrets:
            return ""
        self._credential_audit.record(caller, CredentialKind.CONNECTION, mark.identifier)
        return token

    def detail(self, environment_id: str, identifier: str) -> Detail:
        """Return a connection for the console, without its token. Raises NotFound."""
        with self._database.reading() as session:
            row = connection_documents.documented(session, environment_id, identifier)
            if row is None:
                raise unknown_connection(identifier)
            others = 0
            if row.installation_id is not None:
                shared = row.integration_id, row.workspace_id, row.installation_id
                others = workspace_holders.count_sharing(session, *shared) - 1
        permissions = records.permissions_of(row)
        return Detail(self._connection(row), row.token_last_four or "", row.token_since, others, permissions)

    def _filter(self, rows: Rows, environment_id: str, query: ConnectionQuery) -> ConnectionFilter:
        keys = query.context_keys
        return ConnectionFilter(
            integration_id=integrations.filter_id(rows, environment_id, query.integration_identifier),
            # A subscriber's list includes the shared connections unless the query names a mode.
            subscriber_id=query.subscriber_id if query.mode != "shared" else None,
            with_shared=query.subscriber_id is not None and query.mode is None,
            mode=query.mode,
            context_digest=None if keys is None else identity.context_digest(keys),
            workspace_id=query.workspace_id,
            status=query.status,
            text=query.search,
        )

    def _prepare(
        self, rows: Rows, environment_id: str, wanted: ConnectionFilter, cap: int
    ) -> tuple[PreparedFilter, int]:
        """Return how to read the matches of a filter, and how many there are, counted to one past `cap`."""
        prepared = connection_filters.prepare(rows, environment_id, wanted)
        return prepared, self._count(rows, environment_id, wanted, prepared, cap)

    def _count(
        self, rows: Rows, environment_id: str, wanted: ConnectionFilter, prepared: PreparedFilter, cap: int
    ) -> int:
        """Count to one past `cap`. A count that took long is reused for some seconds."""
        if wanted.with_shared:
            # The shared connections are the same for every subscriber, so their count is reused.
            own = replace(wanted, with_shared=False)
            shared = replace(own, subscriber_id=None, mode="shared")
            return sum(self._prepare(rows, environment_id, part, cap)[1] for part in (own, shared))
        asked, at = (environment_id, wanted, cap), time.monotonic()
        known, until = self._counted.get(asked, (0, 0.0))
        if until > at:
            return known
        found = connection_filters.count(rows, prepared, cap + 1)
        if found > _QUICK_COUNT:
            # Each search text has a key of its own, so without a limit this would grow forever.
            if len(self._counted) >= _COUNTS_KEPT:
                self._counted.clear()
            self._counted[asked] = found, at + _COUNT_KEPT_SECONDS
        return found

    def _connection(self, row: ConnectionRow, with_token: bool = False) -> Connection:
        """Return the record of a row. It needs to be reconnected if its token cannot be decrypted."""
        if row.installation_id is None or row.access_token is None:
            return connection_of(row)
        token = self._open(row.installation_id, row.access_token, row.identifier)
        if token is None:
            return connection_without_token(row)
        return connection_of(row, token if with_token else None)

    def _open(self, installation_id: str, sealed: Sealed, identifier: str) -> str | None:
        """Return the access token; None, and a log line, for one that cannot be decrypted."""
        try:
            return self._tokens.access_token(installation_id, sealed)
        except VaultProblem as problem:
            _LOG.error("connection.token_unreadable", connection=identifier, problem=problem.sentence)
            return None
