ALTER TABLE follows_mv MODIFY QUERY
SELECT
    repo AS did,
    rkey,
    atsiteText(JSONExtractString(record_json, 'subject'), JSONType(record_json, 'subject'), record_json) AS subject_did,
    time_us,
    version,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.graph.follow'
