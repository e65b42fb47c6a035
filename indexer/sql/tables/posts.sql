-- One row for each (did, rkey): the largest version wins, a delete is a row with deleted = 1 and stays, so that no replay brings the post back.
-- No is_deleted argument: FINAL would hide and cleanup would drop the tombstones that a replay needs.
-- (rkey, did): ordered by time, shared by create and delete; "last n hours" is a key range, "newest first" stops early.
-- Not partitioned: by the TID's month newest-first took 4 times as long, and one batch of forged months could fail for ever.
-- created_at: what the client wrote; NULL = unparsable, and least() then ignores it, where a zero would sort as 1970.
-- backfilled: came from a repo's export, not from the stream; such rows count in no daily statistic.
-- eligible: may stand in a newest-first list. Its rkey is believable (atsiteIsEligibleTid) and it is no import: createdAt is not more than
-- 24 hours before the rkey's time. sort_at serves since and until only: the earliest of createdAt, rkey and rev.
-- index_granularity 1024: a search for a rare word, or for a tag, reads a few granules for each hit (a quarter of the processor time that granules of
-- 8192 take, docs/decisions/0098-query-language.md). Sites from before keep those of their table.
-- did_bf: newest posts of many authors. ft: words of every script that has spaces. cj: pairs of neighbours in scripts that have none; a
-- second text index on the bare column is refused (Code 36), one on an expression is allowed.
CREATE TABLE IF NOT EXISTS posts
(
    rkey            String,
    did             String,
    cid             String,
    text            String CODEC(ZSTD(3)),
    langs           Array(LowCardinality(String)),
    tags            Array(String),
    mentions        Array(String),
    links           Array(String),
    domains         Array(String),
    parent_uri      String,
    root_uri        String,
    quote_uri       String,
    embed_kind      LowCardinality(String),
    images          UInt8,
    images_with_alt UInt8,
    has_video       UInt8,
    labels          Array(LowCardinality(String)),
    created_at      Nullable(DateTime64(3, 'UTC')),
    time_us         UInt64 CODEC(Delta, ZSTD(1)),
    version         UInt64 CODEC(Delta, ZSTD(1)),
    backfilled      UInt8 DEFAULT 0,
    deleted         UInt8 DEFAULT 0,
    uri             String ALIAS concat('at://', did, '/app.bsky.feed.post/', rkey),
    eligible        UInt8 ALIAS atsiteIsEligibleTid(rkey, version)
                    AND ifNull(toUnixTimestamp64Milli(created_at) * 1000 + 86400000000 >= toInt64(atsiteTidToMicros(rkey)), 1),
    sort_at         DateTime64(6, 'UTC') ALIAS assumeNotNull(least(
                    created_at,
                    fromUnixTimestamp64Micro(toInt64(if(atsiteIsTid(rkey), least(atsiteTidToMicros(rkey), intDiv(version, 1024)), intDiv(version, 1024))), 'UTC'))),
    INDEX did_bf did TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ft text TYPE text(tokenizer = splitByNonAlpha, preprocessor = lowerUTF8(text)),
    INDEX cj ngrams(replaceRegexpAll(text, '[^\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Thai}]+', ''), 2) TYPE text(tokenizer = 'array')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (rkey, did)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 1024
