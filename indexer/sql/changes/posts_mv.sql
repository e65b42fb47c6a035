-- A field of the wrong type is its default, and its neighbours stay; an element of the wrong type is the default of its list's elements.
-- One JSONExtract parses the record once for all texts; what it gives for another type (atsiteText, atsiteListedText) and for a list in the place of an object
-- (atsiteTextOfTuple) is taken back. Lists of objects are read object by object, and only where a key like theirs, or an escape that may stand in
-- one, is found at all.
-- items beside images: galleries. embed_kind: lexicon embeds only and 32 characters of them, because it is LowCardinality and the client's choice.
ALTER TABLE posts_mv MODIFY QUERY
WITH
    -- The decoder lets no list pass in the place of a record.
    if(match(record_json, '^[^{]*\\['), '', record_json) AS record,
    JSONExtract(record, 'Tuple(
        text String,
        createdAt String,
        langs Array(String),
        tags Array(String),
        reply Tuple(parent Tuple(uri String), root Tuple(uri String)),
        embed Tuple(
            `$type` String,
            external Tuple(uri String),
            record Tuple(uri String, record Tuple(uri String)),
            media Tuple(`$type` String, external Tuple(uri String))))') AS r,
    tupleElement(r, 'embed') AS embed,
    tupleElement(embed, 'media') AS media,
    atsiteTextOfTuple(tupleElement(embed, '$type'), JSONType(record, 'embed', '$type'), record) AS embed_type,
    atsiteTextOfTuple(tupleElement(media, '$type'), JSONType(record, 'embed', 'media', '$type'), record) AS media_type,
    atsiteTextOfTuple(tupleElement(tupleElement(embed, 'record'), 'uri'), JSONType(record, 'embed', 'record', 'uri'), record) AS quoted,
    atsiteTextOfTuple(
        tupleElement(tupleElement(tupleElement(embed, 'record'), 'record'), 'uri'),
        JSONType(record, 'embed', 'record', 'record', 'uri'), record) AS quoted_with_media,
    if(multiSearchAny(record, ['"facets"', '\\u00']), arrayFlatten(arrayMap(
        facet -> JSONExtractArrayRaw(facet, 'features'), JSONExtractArrayRaw(record, 'facets'))), []) AS features,
    if(multiSearchAny(record, ['"images"', '"items"', '\\u00']), arrayConcat(
        JSONExtractArrayRaw(record, 'embed', 'images'), JSONExtractArrayRaw(record, 'embed', 'items'),
        JSONExtractArrayRaw(record, 'embed', 'media', 'images'), JSONExtractArrayRaw(record, 'embed', 'media', 'items')), []) AS pictures,
    arrayConcat(
        arrayMap(f -> atsiteListedText(JSONExtractString(f, 'tag'), JSONType(f, 'tag')), features),
        atsiteTexts(tupleElement(r, 'tags'), JSONExtractArrayRaw(record, 'tags'))) AS written_tags,
    arrayConcat(
        arrayMap(f -> atsiteListedText(JSONExtractString(f, 'uri'), JSONType(f, 'uri')), features),
        [
            atsiteTextOfTuple(tupleElement(tupleElement(embed, 'external'), 'uri'), JSONType(record, 'embed', 'external', 'uri'), record),
            atsiteTextOfTuple(
                tupleElement(tupleElement(media, 'external'), 'uri'), JSONType(record, 'embed', 'media', 'external', 'uri'), record)
        ]) AS uris
SELECT
    rkey,
    repo AS did,
    cid,
    atsiteText(tupleElement(r, 'text'), JSONType(record, 'text'), record) AS text,
    atsiteTexts(tupleElement(r, 'langs'), JSONExtractArrayRaw(record, 'langs')) AS langs,
    arrayDistinct(arrayFilter(t -> t != '', arrayMap(t -> lowerUTF8(trim(LEADING '#' FROM t)), written_tags))) AS tags,
    arrayDistinct(arrayFilter(d -> d != '', arrayMap(f -> atsiteListedText(JSONExtractString(f, 'did'), JSONType(f, 'did')), features))) AS mentions,
    arrayDistinct(arrayFilter(u -> u != '', uris)) AS links,
    arrayDistinct(arrayFilter(d -> d != '', arrayMap(u -> domainWithoutWWW(lower(u)), links))) AS domains,
    atsiteTextOfTuple(
        tupleElement(tupleElement(tupleElement(r, 'reply'), 'parent'), 'uri'), JSONType(record, 'reply', 'parent', 'uri'), record) AS parent_uri,
    atsiteTextOfTuple(
        tupleElement(tupleElement(tupleElement(r, 'reply'), 'root'), 'uri'), JSONType(record, 'reply', 'root', 'uri'), record) AS root_uri,
    if(embed_type = 'app.bsky.embed.recordWithMedia', quoted_with_media, quoted) AS quote_uri,
    multiIf(embed_type = '', '', startsWith(embed_type, 'app.bsky.embed.'), substring(embed_type, 16, 32), 'other') AS embed_kind,
    toUInt8(least(length(pictures), 255)) AS images,
    toUInt8(least(arrayCount(p -> atsiteListedText(JSONExtractString(p, 'alt'), JSONType(p, 'alt')) != '', pictures), 255)) AS images_with_alt,
    toUInt8(embed_type = 'app.bsky.embed.video' OR media_type = 'app.bsky.embed.video') AS has_video,
    if(multiSearchAny(record, ['"labels"', '\\u00']), arrayDistinct(arrayMap(
        label -> atsiteListedText(JSONExtractString(label, 'val'), JSONType(label, 'val')),
        JSONExtractArrayRaw(record, 'labels', 'values'))), []) AS labels,
    atsiteDatetime(tupleElement(r, 'createdAt')) AS created_at,
    time_us,
    version,
    toUInt8(source = 'backfill') AS backfilled,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.feed.post'
