"""A sealed value: what the database holds in place of a secret."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sealed:
    """Ciphertext and the id of the key that made it. Shows nothing of either in its repr."""

    key_id: str = field(repr=False)
    ciphertext: bytes = field(repr=False)

    def __repr__(self) -> str:
        return "Sealed(…)"
