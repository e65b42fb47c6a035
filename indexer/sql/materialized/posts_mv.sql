-- One JSONExtract parses the record once; a field of the wrong shape becomes its default and its neighbours stay. No odd record tried made it
-- throw or lose a row; what would blank a whole record is refused or repaired by the decoder.
-- items beside images: galleries. embed_kind: lexicon embeds only and 32 characters of them, because it is LowCardinality and the client's choice.
CREATE MATERIALIZED VIEW IF NOT EXISTS posts_mv TO posts AS
WITH
    JSONExtract(record_json, 'Tuple(
        text String,
        createdAt String,
        langs Array(String),
        tags Array(String),
        reply Tuple(parent Tuple(uri String), root Tuple(uri String)),
        facets Array(Tuple(features Array(Tuple(tag String, did String, uri String)))),
        labels Tuple(values Array(Tuple(val String))),
        embed Tuple(
            `$type` String,
            images Array(Tuple(alt String)),
            items Array(Tuple(alt String)),
            external Tuple(uri String),
            record Tuple(uri String, record Tuple(uri String)),
            media Tuple(
                `$type` String,
                images Array(Tuple(alt String)),
                items Array(Tuple(alt String)),
                external Tuple(uri String))))') AS r,
    tupleElement(r, 'embed') AS embed,
    tupleElement(embed, 'media') AS media,
    tupleElement(embed, '$type') AS embed_type,
    tupleElement(tupleElement(embed, 'record'), 'uri') AS quoted,
    tupleElement(tupleElement(tupleElement(embed, 'record'), 'record'), 'uri') AS quoted_with_media,
    arrayFlatten(tupleElement(tupleElement(r, 'facets'), 'features')) AS features,
    arrayConcat(
        tupleElement(embed, 'images'), tupleElement(embed, 'items'),
        tupleElement(media, 'images'), tupleElement(media, 'items')) AS pictures,
    arrayConcat(tupleElement(features, 'tag'), tupleElement(r, 'tags')) AS written_tags,
    arrayConcat(
        tupleElement(features, 'uri'),
        [tupleElement(tupleElement(embed, 'external'), 'uri'), tupleElement(tupleElement(media, 'external'), 'uri')]) AS uris
SELECT
    rkey,
    repo AS did,
    cid,
    tupleElement(r, 'text') AS text,
    tupleElement(r, 'langs') AS langs,
    arrayDistinct(arrayFilter(t -> t != '', arrayMap(t -> lowerUTF8(trim(LEADING '#' FROM t)), written_tags))) AS tags,
    arrayDistinct(arrayFilter(d -> d != '', tupleElement(features, 'did'))) AS mentions,
    arrayDistinct(arrayFilter(u -> u != '', uris)) AS links,
    arrayDistinct(arrayFilter(d -> d != '', arrayMap(u -> domainWithoutWWW(lower(u)), links))) AS domains,
    tupleElement(tupleElement(tupleElement(r, 'reply'), 'parent'), 'uri') AS parent_uri,
    tupleElement(tupleElement(tupleElement(r, 'reply'), 'root'), 'uri') AS root_uri,
    if(embed_type = 'app.bsky.embed.recordWithMedia', quoted_with_media, quoted) AS quote_uri,
    multiIf(embed_type = '', '', startsWith(embed_type, 'app.bsky.embed.'), substring(embed_type, 16, 32), 'other') AS embed_kind,
    toUInt8(least(length(pictures), 255)) AS images,
    toUInt8(least(arrayCount(p -> tupleElement(p, 'alt') != '', pictures), 255)) AS images_with_alt,
    toUInt8(embed_type = 'app.bsky.embed.video' OR tupleElement(media, '$type') = 'app.bsky.embed.video') AS has_video,
    arrayDistinct(tupleElement(tupleElement(tupleElement(r, 'labels'), 'values'), 'val')) AS labels,
    parseDateTime64BestEffortOrNull(tupleElement(r, 'createdAt'), 3, 'UTC') AS created_at,
    time_us,
    version,
    toUInt8(source = 'backfill') AS backfilled,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.feed.post'
