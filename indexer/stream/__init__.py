"""The way of an event: from the websocket into ClickHouse, and the checkpoint after it."""
