-- What readers' apps reported of posts in our feeds (app.bsky.feed.sendInteractions). Whose app it was is never stored:
-- no did, nothing made from one, and nothing that joins the rows of one call. `id` is random, made once for each row
-- before its first insert, so a block that is sent again replaces itself. Item, event and context are as a stranger's
-- app wrote them. Kept for 30 days; a day's part is dropped whole.
CREATE TABLE IF NOT EXISTS feed_interactions
(
    received_at  DateTime64(3, 'UTC'),
    id           UInt64,
    feed         LowCardinality(String),
    item         String,
    event        String,
    feed_context String,
    req_id       String
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(received_at)
ORDER BY (feed, received_at, id)
TTL toDateTime(received_at) + INTERVAL 30 DAY DELETE
SETTINGS ttl_only_drop_parts = 1
