CREATE MATERIALIZED VIEW IF NOT EXISTS reposts_mv TO reposts AS
SELECT
    rkey,
    repo AS did,
    JSONExtractString(record_json, 'subject', 'uri') AS subject_uri,
    time_us,
    version,
    toUInt8(source = 'backfill') AS backfilled,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.feed.repost'
