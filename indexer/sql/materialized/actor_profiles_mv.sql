CREATE MATERIALIZED VIEW IF NOT EXISTS actor_profiles_mv TO actor_profiles AS
SELECT
    repo AS did,
    JSONExtractString(record_json, 'displayName') AS display_name,
    JSONExtractString(record_json, 'description') AS description,
    JSONExtractString(record_json, 'avatar', 'ref', '$link') AS avatar,
    time_us,
    version,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.actor.profile' AND rkey = 'self'
