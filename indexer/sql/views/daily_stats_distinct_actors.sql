-- Distinct actors of a day and kind, merged from the hours' states. low and high: the range's two ends.
CREATE VIEW IF NOT EXISTS daily_stats_distinct_actors AS
SELECT
    toDate(hour) AS day,
    uniqCombined64MergeIf(17)(actors, kind = 'post') AS post_actors,
    uniqCombined64MergeIf(17)(actors, kind = 'like') AS like_actors,
    uniqCombined64MergeIf(17)(actors, kind = 'repost') AS repost_actors,
    uniqCombined64MergeIf(17)(actors, kind = 'follow') AS follow_actors,
    uniqCombined64MergeIf(17)(actors, kind = 'block') AS block_actors,
    uniqCombined64Merge(17)(actors) AS all_actors
FROM daily_stats_actors
WHERE hour >= toDateTime({low:Date}, 'UTC') AND hour < toDateTime({high:Date}, 'UTC')
GROUP BY day
