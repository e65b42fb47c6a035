-- Whom an actor blocks: asked by actor, so (did, rkey).
CREATE TABLE IF NOT EXISTS blocks
(
    did         String,
    rkey        String,
    subject_did String,
    time_us     UInt64 CODEC(Delta, ZSTD(1)),
    version     UInt64 CODEC(Delta, ZSTD(1)),
    deleted     UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (did, rkey)
SETTINGS default_compression_codec = 'ZSTD(1)'
