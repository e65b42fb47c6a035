-- Whom an actor follows: asked by actor, so (did, rkey). By subject: followers.
CREATE TABLE IF NOT EXISTS follows
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
