"""The rights of the operator that an attempt or a link depends on, checked as they are now."""

from onboarding.outcomes import Outcome
from onboarding.store import operators
from onboarding.store.database import Rows
from onboarding.store.installs import AttemptRows
from onboarding.store.links import LinkRow, ParentRow


def outcome_if_lost(rows: Rows, found: AttemptRows) -> Outcome | None:
    """Return the outcome of an attempt whose operator was removed or is a viewer now. None if it may continue.

    Every step of an attempt checks this: it belongs to a browser, which keeps its cookie when the operator leaves.
    """
    operator = found.attempt.operator_label
    if operator is not None and not operators.may_change(rows, operator):
        return Outcome.OPERATOR_DENIED
    return Outcome.LINK_REVOKED if is_link_ended(rows, found.link, found.parent) else None


def is_link_ended(rows: Rows, *links: LinkRow | ParentRow | None) -> bool:
    """Return whether one of the links depends on an operator who was removed or is a viewer now."""
    needed = {link.operator_label for link in links if link is not None and link.operator_label is not None}
    return not all(operators.may_change(rows, one) for one in needed)
