-- The eligible posts of the last 72 hours. The upper end, now + 2 minutes, is where eligibility ends, and rkeys that are no TIDs sort above it.
-- now64() is constant within a query, so both ends prune the primary key. Inactive actors and floors are the reader's look-up: joining either
-- here would double to tenfold the cost of every read.
CREATE VIEW IF NOT EXISTS recent_posts AS
SELECT
    rkey, did, cid, text, langs, tags, mentions, links, domains, parent_uri, root_uri, quote_uri, embed_kind,
    images, images_with_alt, has_video, labels, created_at, time_us, version, uri,
    fromUnixTimestamp64Micro(toInt64(atsiteTidToMicros(rkey)), 'UTC') AS posted_at
FROM posts FINAL
WHERE rkey >= atsiteMicrosToTid(toUnixTimestamp64Micro(now64(6)) - 72 * 3600 * 1000000)
  AND rkey < atsiteMicrosToTid(toUnixTimestamp64Micro(now64(6)) + 120 * 1000000)
  AND eligible
  AND deleted = 0
