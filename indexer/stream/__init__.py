"""The pipeline: reads events from the websocket, writes them to ClickHouse, and saves a checkpoint after them."""
