CREATE MATERIALIZED VIEW IF NOT EXISTS engagement_reposts_mv TO engagement AS
SELECT substringIndex(subject_uri, '/', -1) AS subject_rkey, subject_uri, 'repost' AS kind, did, rkey, version
FROM reposts
WHERE deleted = 0 AND subject_uri != ''
