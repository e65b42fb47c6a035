ALTER TABLE likes_mv MODIFY QUERY
SELECT
    rkey,
    repo AS did,
    atsiteText(JSONExtractString(record_json, 'subject', 'uri'), JSONType(record_json, 'subject', 'uri'), record_json) AS subject_uri,
    time_us,
    version,
    toUInt8(source = 'backfill') AS backfilled,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.feed.like'
