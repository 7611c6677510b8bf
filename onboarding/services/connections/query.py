"""ConnectionQueries connections: the console's list and detail, and the API's. Both see the same rows."""

import time
from dataclasses import replace
from typing import Any

from onboarding import identity
from onboarding.errors import unknown_connection
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.services.connections import records
from onboarding.services.connections.records import Connection, ConnectionQuery, ConsoleSearch, Detail, Token
from onboarding.services.tokens import Tokens
from onboarding.store import connection_lists, connections, integrations, pagination
from onboarding.store.connection_lists import ConnectionFilter, IndexScan
from onboarding.store.database import Database, Rows
from onboarding.store.pagination import StorePageRequest

PAGE_SIZE = 25
CONSOLE_COUNT_CAP = 1000
#: More than these take longer to count than the page to read, and are counted again after so many seconds.
_QUICK_COUNT = 1000
_COUNT_KEPT_SECONDS = 5.0
_COUNTS_KEPT = 1000
_NO_INTEGRATION = "none"


class ConnectionQueries:
    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database, self._tokens = database, tokens
        #: By environment, filter and cap: a count, and until when it is believed.
        self._counted: dict[tuple[object, ...], tuple[int, float]] = {}

    def page(
        self, environment_id: str, search: ConsoleSearch, after: str | None, before: str | None
    ) -> Page[Connection]:
        """The console's list, newest first. Raises Refused for a cursor that is not ours."""
        with self._database.rows() as rows:
            wanted = ConnectionFilter(
                text=search.q or None,
                status=search.status or None,
                integration_id=self._integration_id(rows, environment_id, search.integration or None),
                mode=search.mode or None,
                context_key=search.context or None,
            )
            request = pagination.store_page_request(
                "connections", environment_id, PageRequest(PAGE_SIZE, after or None, before if not after else None)
            )
            return self._page(rows, environment_id, wanted, request, CONSOLE_COUNT_CAP, with_tokens=False)

    def list(
        self, environment_id: str, ask: PageRequest, query: ConnectionQuery, with_tokens: bool
    ) -> Page[Connection]:
        """The API's list (contract.md A3). Raises Refused for a cursor that is not ours, VaultProblem."""
        request = pagination.store_page_request("connections", environment_id, ask)
        if query.channel not in (None, "chat") or query.provider_id not in (None, "slack"):
            return Page((), None, None, 0, False)
        with self._database.rows() as rows:
            keys = query.context_keys
            wanted = ConnectionFilter(
                integration_id=self._integration_id(rows, environment_id, query.integration_identifier),
                # A subscriber's list holds the shared ones, too, unless one mode is asked for.
                subscriber_id=query.subscriber_id if query.mode != "shared" else None,
                with_shared=query.subscriber_id is not None and query.mode is None,
                mode=query.mode,
                context_digest=None if keys is None else identity.context_digest(keys),
                workspace_id=query.workspace_id,
                status=query.status,
                text=query.search,
            )
            return self._page(rows, environment_id, wanted, request, COUNT_CAP, with_tokens)

    def retrieve(self, environment_id: str, identifier: str, with_token: bool) -> Connection:
        """Raises NotFound, VaultProblem."""
        with self._database.rows() as rows:
            row = connections.documented(rows, environment_id, identifier)
        if row is None:
            raise unknown_connection(identifier)
        return self._connection(row, with_token)

    def token(self, environment_id: str, connection_id: str) -> Token | None:
        """The token of a connection as it is now; None when the connection is gone. Raises VaultProblem."""
        with self._database.rows() as rows:
            row = connections.token_of(rows, environment_id, connection_id)
        if row is None:
            return None
        return Token(self._tokens.access_token(row.installation_id, row.access_token), row.updated_at)

    def find(self, environment_id: str, identifier: str) -> Detail:
        """For the console: never with the token. Raises NotFound."""
        with self._database.reading() as session:
            row = connections.detailed(session, environment_id, identifier)
            if row is None:
                raise unknown_connection(identifier)
            lives = row.integration_id, row.workspace_id, row.installation_id
            others = connections.count_beside(session, *lives) - 1
        return Detail(records.connection_of(row), row.token_last_four, row.installed_at, others)

    def _page(
        self,
        rows: Rows,
        environment_id: str,
        wanted: ConnectionFilter,
        request: StorePageRequest,
        cap: int,
        with_tokens: bool,
    ) -> Page[Connection]:
        walk = connection_lists.walk(rows, environment_id, wanted)
        page_rows = connection_lists.page(rows, walk, request)
        total = self._count(rows, environment_id, wanted, walk, cap)
        return pagination.page_of(request, page_rows, total, cap, lambda row: self._connection(row, with_tokens))

    def _count(self, rows: Rows, environment_id: str, wanted: ConnectionFilter, walk: IndexScan, cap: int) -> int:
        """To one past the cap. What took long to count is believed for some seconds."""
        if wanted.with_shared:
            # The shared ones are the same for every subscriber.
            own = replace(wanted, with_shared=False)
            shared = replace(own, subscriber_id=None, mode="shared")
            parts = ((part, connection_lists.walk(rows, environment_id, part)) for part in (own, shared))
            return sum(self._count(rows, environment_id, *part, cap) for part in parts)
        asked, at = (environment_id, wanted, cap), time.monotonic()
        known, until = self._counted.get(asked, (0, 0.0))
        if until > at:
            return known
        found = connection_lists.count(rows, walk, cap + 1)
        if found > _QUICK_COUNT:
            if len(self._counted) >= _COUNTS_KEPT:
                self._counted.clear()
            self._counted[asked] = found, at + _COUNT_KEPT_SECONDS
        return found

    def _connection(self, row: Any, with_token: bool) -> Connection:
        token = self._tokens.access_token(row.installation_id, row.access_token) if with_token else None
        return records.connection_of(row, token)

    def _integration_id(self, rows: Rows, environment_id: str, identifier: str | None) -> str | None:
        if identifier is None:
            return None
        return integrations.id_of(rows, environment_id, identifier) or _NO_INTEGRATION
