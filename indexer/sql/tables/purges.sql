-- Which floors have been purged: what is due is found from rows, never from a message alone.
CREATE TABLE IF NOT EXISTS purges
(
    did       String,
    floor     UInt64,
    purged_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(floor)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)'
