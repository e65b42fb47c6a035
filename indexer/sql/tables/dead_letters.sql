-- Events that cannot be indexed, to be looked at and retried. id: the first 32 hexadecimal digits of sha256(payload), so that a replay does not
-- double them; a retry that worked writes the row again with deleted = 1 and a larger version.
CREATE TABLE IF NOT EXISTS dead_letters
(
    id        String,
    reason    LowCardinality(String),
    detail    String,
    payload   String CODEC(ZSTD(3)),
    host      String,
    time_us   UInt64,
    stored_at DateTime64(6, 'UTC') DEFAULT now64(6),
    version   UInt64,
    deleted   UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id
TTL toDateTime(stored_at) + INTERVAL 90 DAY DELETE
