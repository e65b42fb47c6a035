-- A view on a view's target: it reads columns already extracted, so that a record's JSON is parsed once, and INSERT INTO posts SELECT rebuilds this too.
CREATE MATERIALIZED VIEW IF NOT EXISTS posts_by_actor_mv TO posts_by_actor AS
SELECT did, rkey, toUInt8(parent_uri != '') AS is_reply, time_us, version, deleted
FROM posts
