"""Encryption at rest: keys, rotation, damage."""

from __future__ import annotations

import io
import os

import pytest
from pyrage import x25519

from atsite.core.sealed import CannotDecrypt, Sealer

OLD, NEW = (str(x25519.Identity.generate()) for _ in range(2))


def sealed_stream(content: bytes, *keys: str) -> bytes:
    target = io.BytesIO()
    Sealer(keys).seal_stream(io.BytesIO(content), target)
    return target.getvalue()


def test_what_is_sealed_opens_again_and_does_not_show_through() -> None:
    sealed = Sealer([NEW]).seal(b"a secret token")
    assert b"secret" not in sealed
    assert Sealer([NEW]).open(sealed) == b"a secret token"
    assert Sealer([NEW]).seal(b"a secret token") != sealed


def test_the_first_key_encrypts_and_each_decrypts() -> None:
    before, after = Sealer([OLD]), Sealer([NEW, OLD])
    assert after.open(before.seal(b"x")) == b"x"
    assert after.newest().open(after.seal(b"x")) == b"x"
    with pytest.raises(CannotDecrypt):
        before.open(after.seal(b"x"))
    with pytest.raises(CannotDecrypt):
        after.newest().open(before.seal(b"x"))


def test_a_site_without_keys_has_a_false_sealer() -> None:
    assert not Sealer([])
    assert Sealer([NEW])


@pytest.mark.parametrize("position", [0, 60, 200, -1])
def test_a_changed_byte_is_noticed(position: int) -> None:
    sealed = bytearray(Sealer([NEW]).seal(b"a secret token"))
    sealed[position] ^= 1
    with pytest.raises(CannotDecrypt):
        Sealer([NEW]).open(bytes(sealed))


def test_streams_of_several_pieces_open_again() -> None:
    content = os.urandom(200_000)
    target = io.BytesIO()
    Sealer([NEW, OLD]).open_stream(io.BytesIO(sealed_stream(content, OLD)), target)
    assert target.getvalue() == content


@pytest.mark.parametrize("cut", [1, 65_552, 199_000])
def test_a_stream_that_was_cut_off_is_noticed(cut: int) -> None:
    sealed = sealed_stream(os.urandom(200_000), NEW)
    with pytest.raises(CannotDecrypt):
        Sealer([NEW]).open_stream(io.BytesIO(sealed[:-cut]), io.BytesIO())


def test_a_full_disk_is_not_taken_for_a_wrong_key() -> None:
    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        Sealer([NEW]).open_stream(io.BytesIO(sealed_stream(b"x", NEW)), Full())  # type: ignore[arg-type]
