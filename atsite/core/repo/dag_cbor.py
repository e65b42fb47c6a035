"""DAG-CBOR blocks of a repo, decoded in bounded memory.

libipld decodes; it refuses unsorted keys, other tags than links, and trailing bytes. It returns links and byte strings
alike, as bytes.
"""

from __future__ import annotations

import base64
from typing import Any, Final

import libipld

from atsite.core.repo.cid import format_cid, is_binary_cid
from atsite.core.repo.errors import InvalidRepo

#: Longer blocks are skimmed first. A shorter one cannot make libipld allocate more than 40 MB.
_SKIM_ABOVE: Final = 16_384
_BYTES, _TEXT, _ARRAY, _MAP, _TAG = 2, 3, 4, 5, 6


def decode(block: bytes, what: str) -> dict[str, Any]:
    """The map that `block` holds; `what` names it in messages. Raises InvalidRepo."""
    if len(block) > _SKIM_ABOVE and not _is_as_large_as_declared(block):
        raise InvalidRepo(f"{what} is not valid DAG-CBOR: it declares more items than it has bytes")
    try:
        value = libipld.decode_dag_cbor(block)
    except (ValueError, RecursionError, OverflowError) as error:
        raise InvalidRepo(f"{what} is not valid DAG-CBOR: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise InvalidRepo(f"{what} is not a map")
    return value


def decode_canonical(block: bytes, what: str) -> dict[str, Any]:
    """As `decode`, and raises InvalidRepo also where the only valid encoding of the map is not `block`.

    So a byte string cannot take the place of a link, which libipld writes with its tag.
    """
    value = decode(block, what)
    if encode(value) != block:
        raise InvalidRepo(f"{what} is not in canonical DAG-CBOR")
    return value


def encode(value: dict[str, Any]) -> bytes:
    """The canonical encoding of a map that `decode` returned; bytes that are a CID become a link."""
    encoded: bytes = libipld.encode_dag_cbor(value)
    return encoded


def to_json_form(record: dict[str, Any]) -> dict[str, Any]:
    """`record`, changed in place into the form that JSON has (https://atproto.com/specs/data-model#json-representation).

    Links become `{"$link": "bafy…"}` and byte strings `{"$bytes": "…"}`, as in the stream and in listRecords.
    """
    pending: list[Any] = [record]
    while pending:
        container = pending.pop()
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(value, bytes):
                container[key] = _bytes_to_json_form(value)  # the size stays, so the loop goes on
            elif isinstance(value, dict | list):
                pending.append(value)
    return record


def _bytes_to_json_form(value: bytes) -> dict[str, str]:
    if is_binary_cid(value):
        return {"$link": format_cid(value)}
    return {"$bytes": base64.b64encode(value).rstrip(b"=").decode()}


def _is_as_large_as_declared(block: bytes) -> bool:
    """Whether all arrays and maps together declare no more items than the block has bytes.

    libipld allocates each at its declared length, and compares that only with the bytes left: nested maps in 1 MiB took
    2.5 GB.
    """
    position, declared, size = 0, 1, len(block)
    while position < size:
        major, argument = block[position] >> 5, block[position] & 31
        position += 1
        if 24 <= argument <= 27:
            width = 1 << (argument - 24)
            argument = int.from_bytes(block[position : position + width], "big")
            position += width
        if major in (_BYTES, _TEXT):
            position += argument
        elif major == _ARRAY:
            declared += argument
        elif major == _MAP:
            declared += 2 * argument
        elif major == _TAG:
            declared += 1
        if declared > size:
            return False
    return True
