-- The profile record of an actor (app.bsky.actor.profile/self). avatar: the cid of its picture.
CREATE TABLE IF NOT EXISTS actor_profiles
(
    did          String,
    display_name String,
    description  String CODEC(ZSTD(3)),
    avatar       String,
    time_us      UInt64,
    version      UInt64,
    deleted      UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)'
