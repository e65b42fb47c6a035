-- Blocks by subject, as followers has follows: whether one of some actors blocks a given one. Whether it still does, blocks says under the key.
CREATE TABLE IF NOT EXISTS blockers
(
    subject_did String,
    did         String,
    rkey        String,
    version     UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (subject_did, did, rkey)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 1024
