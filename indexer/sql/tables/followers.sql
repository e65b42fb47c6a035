-- Follows by subject, made from creates and updates as engagement is: a row counts when its version >= that of its key in retractions ('follow').
CREATE TABLE IF NOT EXISTS followers
(
    subject_did String,
    did         String,
    rkey        String,
    version     UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (subject_did, did, rkey)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 1024
