-- How much each feed is read, by day (UTC). `counter` names one life of the counts in Redis, which may be lost with it:
-- what one counted stays when the next begins at 0. Within one, counts only grow, and `counted` = requests +
-- interactions is the version: writing the same counts again changes nothing. Sum requests and interactions over
-- counters; of readers and senders, who are estimated by HyperLogLog, take the largest: who came before and after a
-- loss cannot be told apart.
CREATE TABLE IF NOT EXISTS feed_usage
(
    feed         LowCardinality(String),
    day          Date,
    counter      String,
    requests     UInt64,
    readers      UInt64,
    interactions UInt64,
    senders      UInt64,
    counted      UInt64
)
ENGINE = ReplacingMergeTree(counted)
ORDER BY (feed, day, counter)
TTL day + INTERVAL 400 DAY
