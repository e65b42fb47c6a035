-- labels: as in posts_mv. A profile is read whole only where the key is found, or an escape that may stand in one.
ALTER TABLE actor_profiles_mv MODIFY QUERY
SELECT
    repo AS did,
    atsiteText(JSONExtractString(record_json, 'displayName'), JSONType(record_json, 'displayName'), record_json) AS display_name,
    atsiteText(JSONExtractString(record_json, 'description'), JSONType(record_json, 'description'), record_json) AS description,
    atsiteText(JSONExtractString(record_json, 'avatar', 'ref', '$link'), JSONType(record_json, 'avatar', 'ref', '$link'), record_json) AS avatar,
    if(multiSearchAny(record_json, ['"labels"', '\\u00']), arrayDistinct(arrayMap(
        label -> atsiteListedText(JSONExtractString(label, 'val'), JSONType(label, 'val')),
        JSONExtractArrayRaw(if(match(record_json, '^[^{]*\\['), '', record_json), 'labels', 'values'))), []) AS labels,
    time_us,
    version,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.actor.profile' AND rkey = 'self'
