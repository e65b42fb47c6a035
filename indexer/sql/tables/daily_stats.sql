-- The numbers of a day (UTC), rewritten by a task while they may still change. Wide: a day is computed and read as a whole, and a row per kind would
-- have to be turned on its side for each reader. X_actors: distinct actors who created an X that day; actors: of any kind of record.
CREATE TABLE IF NOT EXISTS daily_stats
(
    day               Date,
    posts             UInt64,
    posts_with_images UInt64,
    images            UInt64,
    images_with_alt   UInt64,
    likes             UInt64,
    reposts           UInt64,
    follows           UInt64,
    blocks            UInt64,
    post_actors       UInt64,
    like_actors       UInt64,
    repost_actors     UInt64,
    follow_actors     UInt64,
    block_actors      UInt64,
    actors            UInt64,
    computed_at       DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(computed_at)
ORDER BY day
SETTINGS default_compression_codec = 'ZSTD(1)'
