-- Likes by time, as posts are (see there for keys, versions and tombstones).
-- subject_did is an ALIAS: the did stands in subject_uri already, a second copy would cost about 20 bytes a row.
-- eligible: the rkey is believable; only such rows belong to a day of the statistics.
CREATE TABLE IF NOT EXISTS likes
(
    rkey        String,
    did         String,
    subject_uri String,
    time_us     UInt64 CODEC(Delta, ZSTD(1)),
    version     UInt64 CODEC(Delta, ZSTD(1)),
    backfilled  UInt8 DEFAULT 0,
    deleted     UInt8 DEFAULT 0,
    subject_did String ALIAS splitByChar('/', subject_uri)[3],
    eligible    UInt8 ALIAS atsiteIsEligibleTid(rkey, version)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (rkey, did)
SETTINGS default_compression_codec = 'ZSTD(1)'
