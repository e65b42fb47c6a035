-- Live, eligible posts by the day of their rkey: rows, so neither redelivery nor a delete can break the count. low and high: the TIDs of the range's
-- two ends, which the caller computes, for a key range.
CREATE VIEW IF NOT EXISTS daily_stats_posts AS
SELECT
    toDate(fromUnixTimestamp64Micro(toInt64(atsiteTidToMicros(rkey)), 'UTC')) AS day,
    count() AS posts,
    countIf(images > 0) AS posts_with_images,
    sum(images) AS images_total,
    sum(images_with_alt) AS images_with_alt_total
FROM posts FINAL
WHERE rkey >= {low:String} AND rkey < {high:String} AND eligible AND backfilled = 0 AND deleted = 0
GROUP BY day
