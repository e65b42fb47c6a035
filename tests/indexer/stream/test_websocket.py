from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosedError, ProtocolError
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from indexer.stream import websocket
from indexer.stream.websocket import KEPT_OF_OVERLONG, MAX_MESSAGE, FrameReader


def reader() -> FrameReader:
    return FrameReader(ClientProtocol(parse_uri("ws://localhost/"), state=OPEN, max_size=MAX_MESSAGE))


def sent(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """A frame as a server sends it: unmasked."""
    return Frame(opcode, data, fin).serialize(mask=False)


def fed(reader: FrameReader, data: bytes, size: int) -> list[bytes]:
    """What comes out when `data` arrives in pieces of `size`."""
    return [message for start in range(0, len(data), size) for message in reader.feed(data[start : start + size])]


MESSAGES = [b"", b"x", b"a" * 125, b"b" * 126, b"c" * 65_535, b"d" * 65_536, "é".encode() * 300]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 130, 70_000, 1 << 20])
def test_messages_of_every_length_come_out_whole_however_they_arrive(size: int) -> None:
    stream = b"".join(sent(Opcode.TEXT, message) for message in MESSAGES)

    assert fed(reader(), stream, size) == MESSAGES


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(min_value=1, max_value=400))
@settings(max_examples=100, deadline=None)
def test_pings_fragments_and_binary_frames_between_them_disturb_nothing(messages: list[bytes], size: int) -> None:
    stream = b""
    for number, message in enumerate(messages):
        middle = len(message) // 2
        match number % 3:
            case 0:
                stream += sent(Opcode.TEXT, message) + sent(Opcode.PING, b"still there?")
            case 1:
                stream += (
                    sent(Opcode.TEXT, message[:middle], fin=False)
                    + sent(Opcode.PING, b"")
                    + sent(Opcode.CONT, message[middle:])
                )
            case _:
                stream += sent(Opcode.BINARY, message)

    assert fed(reader(), stream, size) == messages


def test_a_ping_is_answered() -> None:
    client = reader()

    client.feed(sent(Opcode.PING, b"hello"))

    answer = ClientProtocol(parse_uri("ws://localhost/"), state=OPEN)
    answer.side = answer.side.__class__.SERVER  # reads what a client sent
    answer.receive_data(b"".join(client.protocol.data_to_send()))
    assert answer.events_received() == [Frame(Opcode.PONG, b"hello")]


def test_messages_before_a_close_are_not_lost_with_it() -> None:
    client = reader()
    close = sent(Opcode.CLOSE, Close(CloseCode.INTERNAL_ERROR, "bye").serialize())

    assert client.feed(sent(Opcode.TEXT, b"last words") + close) == [b"last words"]

    assert client.ended
    with pytest.raises(ConnectionClosedError, match="1011"):
        client.feed(b"")


@pytest.mark.parametrize(
    "frame",
    [
        Frame(Opcode.TEXT, b"x").serialize(mask=True),
        Frame(Opcode.TEXT, b"x" * 200).serialize(mask=True),
        bytes([0x83, 0]),
        bytes([0xC1, 1]) + b"x",
        sent(Opcode.CONT, b"x"),
        sent(Opcode.TEXT, b"x", fin=False) + sent(Opcode.TEXT, b"y"),
    ],
    ids=["masked", "masked and long", "unknown opcode", "reserved bit", "nothing to continue", "interrupted"],
)
def test_what_no_server_may_send_ends_the_connection(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        reader().feed(frame)


def test_a_message_beyond_the_limit_is_cut_and_the_next_one_is_whole() -> None:
    client = reader()
    long = b"y" * (MAX_MESSAGE + 1)
    stream = sent(Opcode.TEXT, b"before") + sent(Opcode.TEXT, long) + sent(Opcode.TEXT, b"after")

    messages = fed(client, stream, 1 << 18)

    assert (messages[0], messages[2:]) == (b"before", [b"after"])
    assert set(messages[1]) == {ord("y")}
    assert 0 < len(messages[1]) <= KEPT_OF_OVERLONG


@pytest.mark.parametrize("size", [MAX_MESSAGE // 4, MAX_MESSAGE - 1, MAX_MESSAGE + 1], ids=["quarters", "one", "two"])
@pytest.mark.parametrize("piece", [1 << 18, 3 * MAX_MESSAGE])
def test_a_fragmented_message_beyond_the_limit_is_cut_and_the_next_ones_are_whole(size: int, piece: int) -> None:
    client = reader()
    fragments = [b"z" * size] * (MAX_MESSAGE // size + 1)
    stream = (
        sent(Opcode.TEXT, b"before")
        + sent(Opcode.TEXT, fragments[0], fin=False)
        + sent(Opcode.PING, b"")
        + b"".join(sent(Opcode.CONT, fragment, fin=False) for fragment in fragments)
        + sent(Opcode.CONT, b"end")
        + sent(Opcode.TEXT, b"whole, ", fin=False)
        + sent(Opcode.CONT, b"in two parts")
        + sent(Opcode.TEXT, b"after")
    )

    messages = fed(client, stream, piece)

    assert (messages[0], messages[2:]) == (b"before", [b"whole, in two parts", b"after"])
    assert set(messages[1]) == {ord("z")}
    assert 0 < len(messages[1]) <= KEPT_OF_OVERLONG


def test_a_message_in_tiny_fragments_beyond_the_limit_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_MESSAGE", 10_000)
    client = reader()
    tiny = sent(Opcode.CONT, b"z", fin=False)

    assert fed(client, sent(Opcode.TEXT, b"z", fin=False) + tiny * 20_000, 4096) == []

    assert len(client._kept) <= KEPT_OF_OVERLONG
    assert fed(client, sent(Opcode.CONT, b"") + sent(Opcode.TEXT, b"next"), 4096)[1:] == [b"next"]
