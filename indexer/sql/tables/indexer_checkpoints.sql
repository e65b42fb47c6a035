-- How far the stream is durably indexed, appended after each acknowledged batch: the copy of Redis' checkpoint that survives Redis.
-- cursor and safe_cursor: of the host's protocol (v1: microseconds); safe_cursor had been acknowledged 60 s of wall time earlier.
CREATE TABLE IF NOT EXISTS indexer_checkpoints
(
    host        String,
    protocol    LowCardinality(String),
    cursor      UInt64,
    time_us     UInt64,
    safe_cursor UInt64,
    acked_at    DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY acked_at
TTL toDateTime(acked_at) + INTERVAL 7 DAY DELETE
