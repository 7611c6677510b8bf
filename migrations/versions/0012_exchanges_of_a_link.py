"""Replace the index of attempts by link: the exchanges of a link in the last minutes are counted."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index(op.f("ix_attempts_link_id_exchanging_at"), "attempts", ["link_id", "exchanging_at"])
    op.drop_index(op.f("ix_attempts_link_id"), "attempts")


def downgrade() -> None:
    op.create_index(op.f("ix_attempts_link_id"), "attempts", ["link_id"])
    op.drop_index(op.f("ix_attempts_link_id_exchanging_at"), "attempts")
