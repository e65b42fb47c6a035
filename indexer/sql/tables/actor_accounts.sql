-- Whether an account is active, and why not, from account events. version as in actor_identities.
CREATE TABLE IF NOT EXISTS actor_accounts
(
    did     String,
    active  UInt8,
    status  LowCardinality(String),
    time_us UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)'
