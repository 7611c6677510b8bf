"""The integration whose Slack app signs operators in."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from onboarding.store.compiled import CompiledStatement
from onboarding.store.integrations import COLUMNS, TABLE, Integration, IntegrationRow
from onboarding.store.rows import Rows

_OF_SIGN_IN = CompiledStatement(select(*COLUMNS).where(TABLE.c.is_sign_in), IntegrationRow)


def of_sign_in(rows: Rows) -> IntegrationRow | None:
    """Return the integration whose Slack app signs operators in, of any environment."""
    return _OF_SIGN_IN.first(rows, {})


def end_sign_in(session: Session) -> None:
    """Let no Slack app sign operators in."""
    session.execute(update(Integration).where(Integration.is_sign_in).values(is_sign_in=False))
