-- The plain definition of the score (atsiteHotScore): every recent root post with its live likes and reposts, each actor once. The ranked feeds
-- compute the same with candidates first, and a test holds them to this.
-- A like counts while no retraction of its key is younger. Likes and reposts whose own rkey lies before the window do not count (a like cannot be
-- older than its post, such rkeys are forged); the window then bounds both sides of the join.
CREATE VIEW IF NOT EXISTS recent_posts_with_score AS
SELECT
    post.*,
    counts.likes AS likes,
    counts.reposts AS reposts,
    greatest(toUnixTimestamp64Micro(now64(6)) - toUnixTimestamp64Micro(post.posted_at), 0) / 3600000000 AS age_hours,
    atsiteHotScore(counts.likes, age_hours) AS score
FROM (SELECT * FROM recent_posts WHERE parent_uri = '') AS post
LEFT JOIN
(
    SELECT
        subject_uri,
        uniqExactIf(cityHash64(did), kind = 'like') AS likes,
        uniqExactIf(cityHash64(did), kind = 'repost') AS reposts
    FROM engagement
    LEFT ANY JOIN
    (
        SELECT kind, rkey, did, version AS gone
        FROM retractions FINAL
        WHERE kind IN ('like', 'repost')
          AND rkey >= atsiteMicrosToTid(toUnixTimestamp64Micro(now64(6)) - 72 * 3600 * 1000000)
    ) AS retracted USING (kind, rkey, did)
    WHERE kind IN ('like', 'repost')
      AND subject_rkey >= atsiteMicrosToTid(toUnixTimestamp64Micro(now64(6)) - 72 * 3600 * 1000000)
      AND subject_rkey < atsiteMicrosToTid(toUnixTimestamp64Micro(now64(6)) + 120 * 1000000)
      AND rkey >= atsiteMicrosToTid(toUnixTimestamp64Micro(now64(6)) - 72 * 3600 * 1000000)
      AND version >= gone
    GROUP BY subject_uri
) AS counts ON counts.subject_uri = post.uri
