-- Replies (to their parent) and quotes. Both stand under the post's own key, so a retraction of kind 'post' takes both back.
CREATE MATERIALIZED VIEW IF NOT EXISTS engagement_posts_mv TO engagement AS
SELECT
    substringIndex(tupleElement(subject, 2), '/', -1) AS subject_rkey,
    tupleElement(subject, 2) AS subject_uri,
    tupleElement(subject, 1) AS kind,
    did,
    rkey,
    version
FROM posts
ARRAY JOIN arrayFilter(s -> tupleElement(s, 2) != '', [('reply', parent_uri), ('quote', quote_uri)]) AS subject
WHERE deleted = 0
