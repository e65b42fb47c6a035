CREATE MATERIALIZED VIEW IF NOT EXISTS blocks_mv TO blocks AS
SELECT
    repo AS did,
    rkey,
    JSONExtractString(record_json, 'subject') AS subject_did,
    time_us,
    version,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.graph.block'
