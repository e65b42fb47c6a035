-- Raw events: all that the indexer writes, besides accounts, identities, floors and dead letters. Materialized views make the rest.
-- No version argument: rows of one key are the same event, any of them will do.
-- operation and source are LowCardinality, not Enum8: an unknown word must not fail the whole batch (Code 691).
-- version: the 63-bit integer of rev, computed by the client. The same on every Jetstream host, and it grows within a repo.
-- time_us: the witness time of one Jetstream host. Kept for lag and display, it decides nothing.
-- day: of the rev, so that a redelivery from another host meets its twin in one partition. A rev three days or more from the witness time
-- (a back-filled quiet repo, a forged rev) takes the witness day: else one back-fill batch opens hundreds of partitions (Code 252).
-- The TTL counts from stored_at: one on the event's day would let recorded data vanish at its insert. ttl_only_drop_parts: whole parts go,
-- nothing is rewritten.
-- ZSTD(1), not LZ4: dids, cids and TIDs are base32 text, which only an entropy coder packs.
CREATE TABLE IF NOT EXISTS repo_records
(
    repo        String,
    collection  LowCardinality(String),
    rkey        String,
    operation   LowCardinality(String),
    rev         String,
    cid         String,
    record_json String CODEC(ZSTD(3)),
    time_us     UInt64 CODEC(Delta, ZSTD(1)),
    version     UInt64,
    source      LowCardinality(String) DEFAULT 'jetstream',
    stored_at   DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    day         Date MATERIALIZED toDate(toDateTime(
                    if(abs(toInt64(intDiv(version, 1024000000)) - toInt64(intDiv(time_us, 1000000))) < 259200,
                       intDiv(version, 1024000000), intDiv(time_us, 1000000)), 'UTC'))
)
ENGINE = ReplacingMergeTree
PARTITION BY day
ORDER BY (collection, repo, rkey, rev)
TTL stored_at + INTERVAL 30 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, default_compression_codec = 'ZSTD(1)'
