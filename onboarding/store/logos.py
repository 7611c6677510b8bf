"""The logos of integrations, as files that browsers load."""

from sqlalchemy import ForeignKey, LargeBinary, String, bindparam, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows


class Logo(Base):
    __tablename__ = "logos"

    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"), primary_key=True)
    #: The SHA-256 digest of the picture, which is in its address.
    digest: Mapped[str] = mapped_column(String(64), index=True)
    #: A PNG file.
    picture: Mapped[bytes] = mapped_column(LargeBinary)


TABLE = table_of(Logo)
#: Several integrations may have the same picture.
_BY_DIGEST = select(TABLE.c.picture).where(TABLE.c.digest == bindparam("digest_")).limit(1)


def change(rows: Rows, integration_id: str, digest: str | None, picture: bytes) -> None:
    """Replace the picture, or remove it if there is no digest."""
    rows.execute(delete(TABLE).where(TABLE.c.integration_id == integration_id))
    if digest is not None:
        rows.execute(insert(TABLE), {"integration_id": integration_id, "digest": digest, "picture": picture})


def by_digest(rows: Rows, digest: str) -> bytes | None:
    """Return the picture of any environment: the browsers of customers load it."""
    found: bytes | None = rows.scalar(_BY_DIGEST, {"digest_": digest})
    return found
