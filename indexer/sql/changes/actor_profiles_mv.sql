ALTER TABLE actor_profiles_mv MODIFY QUERY
SELECT
    repo AS did,
    atsiteText(JSONExtractString(record_json, 'displayName'), JSONType(record_json, 'displayName'), record_json) AS display_name,
    atsiteText(JSONExtractString(record_json, 'description'), JSONType(record_json, 'description'), record_json) AS description,
    atsiteText(JSONExtractString(record_json, 'avatar', 'ref', '$link'), JSONType(record_json, 'avatar', 'ref', '$link'), record_json) AS avatar,
    time_us,
    version,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.actor.profile' AND rkey = 'self'
