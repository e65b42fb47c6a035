from __future__ import annotations

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from indexer.simulator.serving.websocket_frames import text_frames


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 8_191, 8_192, 65_535, 65_536, 200_000])
def test_a_client_reads_each_line_as_one_text_message(length: int) -> None:
    client = ClientProtocol(parse_uri("ws://demo.test/"), state=State.OPEN, max_size=None)
    client.receive_data(text_frames([b"x" * length, b"behind"]))
    assert client.events_received() == [Frame(Opcode.TEXT, b"x" * length), Frame(Opcode.TEXT, b"behind")]
