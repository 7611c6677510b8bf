"""A sealed value: the database stores it instead of the secret."""

from dataclasses import dataclass, field

#: Characters of a key's id. The stored bytes begin with it.
KEY_ID_LENGTH = 12


@dataclass(frozen=True)
class Sealed:
    """Ciphertext and the id of the key that encrypted it. Its repr shows neither."""

    key_id: str = field(repr=False)
    ciphertext: bytes = field(repr=False)

    def __repr__(self) -> str:
        return "Sealed(…)"
