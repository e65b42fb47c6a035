-- How many followers, follows and posts an actor has, as an AppView told; version: microseconds of the asking.
CREATE TABLE IF NOT EXISTS actor_counts
(
    did       String,
    followers UInt64,
    follows   UInt64,
    posts     UInt64,
    source    LowCardinality(String),
    version   UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)'
