-- Live reposts by the day of their rkey; see daily_stats_posts.
CREATE VIEW IF NOT EXISTS daily_stats_reposts AS
SELECT toDate(fromUnixTimestamp64Micro(toInt64(atsiteTidToMicros(rkey)), 'UTC')) AS day, count() AS reposts
FROM reposts FINAL
WHERE rkey >= {low:String} AND rkey < {high:String} AND eligible AND backfilled = 0 AND deleted = 0
GROUP BY day
