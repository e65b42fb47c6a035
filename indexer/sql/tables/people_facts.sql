-- What a search of people needs of each actor, beside each other: handle, name, avatar, hidden, active, floor, followers. One row for each fact, so that
-- all of them are versioned rows, whatever the order in which they arrive. version: that of a commit, or microseconds as the commit's would be (x 1024),
-- so that all of them and floors can be compared. hidden: '1' if the profile asks not to be shown to callers who are not signed in. floor: its reason.
-- followers: written by a task (search.people.ranking). words: what people_tokens has of a handle or a name, with a space between; no
-- DEFAULT, whose functions a read would plan for each part (90 ms).
-- Forty actors anywhere in the table are read at once: with small granules and small compressed blocks, merged into one part every six hours, that
-- takes a tenth of the time (16 instead of 160 ms, of a million actors on two busy cores).
CREATE TABLE IF NOT EXISTS people_facts
(
    did     String,
    fact    LowCardinality(String),
    value   String,
    words   String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (did, fact)
SETTINGS default_compression_codec = 'LZ4', index_granularity = 128, min_compress_block_size = 4096, max_compress_block_size = 8192,
    min_age_to_force_merge_seconds = 21600
