"""The link services under one name."""

from onboarding.services.links.create import LinkWriter
from onboarding.services.links.query import LinkQueries
from onboarding.services.links.tokens import LinkTokens


class Links:
    """Create, list, revoke and open links. Each method is documented where it is defined."""

    def __init__(self, writer: LinkWriter, queries: LinkQueries, tokens: LinkTokens) -> None:
        self.create = writer.create
        self.create_session = writer.create_session
        self.create_practice_session = writer.create_practice_session
        self.create_install_url = writer.create_install_url
        self.revoke = writer.revoke
        self.page = queries.page
        self.newest = queries.newest
        self.find = queries.find
        self.url = tokens.url
        self.token = tokens.token
        self.read = tokens.read
