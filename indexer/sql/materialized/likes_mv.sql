CREATE MATERIALIZED VIEW IF NOT EXISTS likes_mv TO likes AS
SELECT
    rkey,
    repo AS did,
    JSONExtractString(record_json, 'subject', 'uri') AS subject_uri,
    time_us,
    version,
    toUInt8(source = 'backfill') AS backfilled,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.feed.like'
