-- The handle of an actor, from identity events. Handle, account and profile change independently and arrive in any order: three tables, one view.
-- version: microseconds of min(the event's own time, time_us); the event's own time is the same on every host.
CREATE TABLE IF NOT EXISTS actor_identities
(
    did     String,
    handle  String,
    time_us UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)'
