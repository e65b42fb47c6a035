-- Not of blocks: nothing counts them by subject.
CREATE MATERIALIZED VIEW IF NOT EXISTS retractions_mv TO retractions AS
SELECT
    transform(
        collection::String,
        ['app.bsky.feed.post', 'app.bsky.feed.like', 'app.bsky.feed.repost', 'app.bsky.graph.follow'],
        ['post', 'like', 'repost', 'follow'], '') AS kind,
    rkey,
    repo AS did,
    version
FROM repo_records
WHERE operation != 'create'
  AND collection IN ('app.bsky.feed.post', 'app.bsky.feed.like', 'app.bsky.feed.repost', 'app.bsky.graph.follow')
