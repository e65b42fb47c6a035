-- Rows of `did` with version < floor are dead: the account was deleted, or its repo began anew. The larger floor wins; never purged. Read with FINAL.
CREATE TABLE IF NOT EXISTS repo_floors
(
    did    String,
    floor  UInt64,
    reason LowCardinality(String)
)
ENGINE = ReplacingMergeTree(floor)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)'
