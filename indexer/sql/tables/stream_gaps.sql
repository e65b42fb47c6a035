-- Stretches of the stream that a host could not replay, with both ends in unix microseconds.
CREATE TABLE IF NOT EXISTS stream_gaps
(
    from_us    UInt64,
    to_us      UInt64,
    host       String,
    reason     LowCardinality(String),
    noticed_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree
ORDER BY (from_us, to_us, host)
