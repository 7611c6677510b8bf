"""The connection services in one object."""

from onboarding.services.connections.create import ConnectionWriter
from onboarding.services.connections.disconnect import Disconnector
from onboarding.services.connections.message import MessageSender
from onboarding.services.connections.query import ConnectionQueries
from onboarding.services.connections.verify import ConnectionVerifier


class Connections:
    """Create, list, read, verify, test and disconnect connections. Each method is documented where it is defined."""

    def __init__(
        self,
        writer: ConnectionWriter,
        queries: ConnectionQueries,
        verifier: ConnectionVerifier,
        disconnector: Disconnector,
        sender: MessageSender,
    ) -> None:
        self.create = writer.create
        self.replace_credentials = writer.replace_credentials
        self.page = queries.page
        self.each = queries.each
        self.list = queries.list
        self.retrieve = queries.retrieve
        self.detail = queries.detail
        self.current_token = queries.current_token
        self.verify = verifier.verify
        self.enqueue_checks = verifier.enqueue_checks
        self.check = verifier.check
        self.disconnect = disconnector.disconnect
        self.last_disconnect = disconnector.last_disconnect
        self.send_test = sender.send_test
