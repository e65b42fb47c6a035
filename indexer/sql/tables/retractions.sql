-- What took back a row of engagement or followers: every delete AND every update. An updated like may name another subject; its own new row has
-- the retraction's version and lives. Read with FINAL.
CREATE TABLE IF NOT EXISTS retractions
(
    kind    LowCardinality(String),
    rkey    String,
    did     String,
    version UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (kind, rkey, did)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 1024
