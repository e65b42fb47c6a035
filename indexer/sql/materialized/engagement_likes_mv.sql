CREATE MATERIALIZED VIEW IF NOT EXISTS engagement_likes_mv TO engagement AS
SELECT substringIndex(subject_uri, '/', -1) AS subject_rkey, subject_uri, 'like' AS kind, did, rkey, version
FROM likes
WHERE deleted = 0 AND subject_uri != ''
