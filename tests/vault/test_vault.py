"""The vault: a sealed value opens only for its own column and row, with a key of the ring."""

import os
from dataclasses import replace

import pytest

from onboarding.errors import VaultProblem
from onboarding.sealed import Sealed
from onboarding.vault import SealedAt, Vault

OLD, NEW = os.urandom(32), os.urandom(32)
HERE = SealedAt("installations", "access_token", "ins_1")


def test_sealed_value_opens_again() -> None:
    vault = Vault([NEW])
    assert vault.open(vault.seal("xoxb-é-1", HERE), HERE) == "xoxb-é-1"


@pytest.mark.parametrize("moved", [{"table": "integrations"}, {"column": "refresh_token"}, {"row": "ins_2"}])
def test_value_moved_to_another_place_does_not_open(moved: dict[str, str]) -> None:
    vault = Vault([NEW])
    sealed = vault.seal("xoxb-1", HERE)
    with pytest.raises(VaultProblem):
        vault.open(sealed, replace(HERE, **moved))


@pytest.mark.parametrize("place", [0, 11, 12, -1], ids=["nonce", "end of nonce", "text", "tag"])
def test_changed_value_does_not_open(place: int) -> None:
    vault = Vault([NEW])
    sealed = vault.seal("xoxb-1", HERE)
    changed = bytearray(sealed.ciphertext)
    changed[place] ^= 1
    with pytest.raises(VaultProblem):
        vault.open(Sealed(sealed.key_id, bytes(changed)), HERE)


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_truncated_value_does_not_open(length: int) -> None:
    vault = Vault([NEW])
    sealed = vault.seal("xoxb-1", HERE)
    with pytest.raises(VaultProblem):
        vault.open(Sealed(sealed.key_id, sealed.ciphertext[:length]), HERE)


def test_older_key_of_the_ring_still_opens_and_the_newest_seals() -> None:
    sealed_before = Vault([OLD]).seal("xoxb-1", HERE)
    ring = Vault([NEW, OLD])
    assert ring.open(sealed_before, HERE) == "xoxb-1"
    assert Vault([NEW]).open(ring.seal("xoxb-2", HERE), HERE) == "xoxb-2"


def test_key_removed_from_the_ring_opens_nothing() -> None:
    sealed = Vault([OLD]).seal("xoxb-1", HERE)
    with pytest.raises(VaultProblem, match="ENCRYPTION_KEYS"):
        Vault([NEW]).open(sealed, HERE)


def test_same_text_is_sealed_differently_each_time() -> None:
    vault = Vault([NEW])
    assert vault.seal("xoxb-1", HERE) != vault.seal("xoxb-1", HERE)


def test_reprs_show_no_secret() -> None:
    vault = Vault([NEW])
    sealed = vault.seal("xoxb-1", HERE)
    assert repr(sealed) == str(sealed) == f"{sealed}" == "Sealed(…)"
    assert repr(vault) == "Vault(1 keys)"
