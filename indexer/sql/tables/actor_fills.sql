-- What the site asked about an actor, as the stream alone is silent on most: handle and display name, from an AppView or the account's PDS.
-- version: microseconds of the asking. An actor who is known to nobody has a row without names, so that it is not asked for again and again.
-- due_us: when to ask again. Which name is shown, this one or the stream's, is the view `actors`' to say.
-- handle_bf: who has this handle, here and in actor_identities.
CREATE TABLE IF NOT EXISTS actor_fills
(
    did          String,
    handle       String,
    display_name String,
    source       LowCardinality(String),
    due_us       UInt64,
    version      UInt64,
    INDEX handle_bf handle TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)'
