-- Published copy of what API keys are called and may do, to be joined with their use. No secret and no hash ever stands here.
CREATE TABLE IF NOT EXISTS api_keys
(
    key_id     String,
    name       String,
    owner      String,
    scopes     Array(LowCardinality(String)),
    created_at DateTime64(6, 'UTC'),
    expires_at Nullable(DateTime64(6, 'UTC')),
    revoked_at Nullable(DateTime64(6, 'UTC')),
    time_us    UInt64,
    deleted    UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(time_us)
ORDER BY key_id
