-- The newest identity event of an actor that names no handle, as all do since 2026: its identity changed, so ask the network for its handle again.
-- The handle that is known stays in actor_identities meanwhile. version as there.
CREATE TABLE IF NOT EXISTS identity_changes
(
    did     String,
    time_us UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)'
