-- Whoever created a record, deleted since or not. The hour is the rev's: the same from every host. Back-filled records count in no day.
CREATE MATERIALIZED VIEW IF NOT EXISTS daily_stats_actors_mv TO daily_stats_actors AS
SELECT
    toStartOfHour(toDateTime(intDiv(version, 1024000000), 'UTC')) AS hour,
    transform(
        collection::String,
        ['app.bsky.feed.post', 'app.bsky.feed.like', 'app.bsky.feed.repost', 'app.bsky.graph.follow', 'app.bsky.graph.block'],
        ['post', 'like', 'repost', 'follow', 'block'], 'other') AS kind,
    uniqCombined64State(17)(cityHash64(repo)) AS actors
FROM repo_records
WHERE operation = 'create' AND source = 'jetstream'
GROUP BY hour, kind
