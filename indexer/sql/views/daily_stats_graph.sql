-- follows and blocks are keyed by did, so a day of them is no key range: distinct keys created in the day's raw events, less those deleted since
-- (whenever: deletes are looked for from the first day on). low and high: the days' two ends, which prune the partitions.
-- One side is a set of 64-bit hashes and the other holds deletes only: a grouping of all keys would not fit a small server's memory.
CREATE VIEW IF NOT EXISTS daily_stats_graph AS
SELECT
    day,
    uniqExactIf(cityHash64(repo, rkey), collection = 'app.bsky.graph.follow') AS follows,
    uniqExactIf(cityHash64(repo, rkey), collection = 'app.bsky.graph.block') AS blocks
FROM repo_records
LEFT ANY JOIN
(
    SELECT collection, repo, rkey, max(version) AS gone
    FROM repo_records
    WHERE day >= {low:Date} AND collection IN ('app.bsky.graph.follow', 'app.bsky.graph.block') AND operation = 'delete'
    GROUP BY collection, repo, rkey
) AS deleted USING (collection, repo, rkey)
WHERE day >= {low:Date} AND day < {high:Date}
  AND collection IN ('app.bsky.graph.follow', 'app.bsky.graph.block')
  AND operation = 'create' AND source = 'jetstream' AND version > gone
GROUP BY day
