-- Actors by the beginnings of their handles and of the words of their names. A handle is one token, and the only kind that holds a dot.
-- Names and handles that were given up since are here, too: what is an actor's now, people_facts says.
-- known: the newest version in which the actor had this token, and all words of then. ranked: of the last count of followers the unix seconds (upper
-- half) and what it found (lower half); not a tuple, of which FINAL would take the parts from any row. Both are maxima, so that any order of arrival and any replay gives the same rows.
-- Each part costs a look-up half a millisecond, so parts are merged into one every six hours.
-- The key begins with four and with six characters, so that the neighbours of a misspelt word can be named in sets, which an index serves.
CREATE TABLE IF NOT EXISTS people_tokens
(
    token  String,
    did    String,
    known  SimpleAggregateFunction(max, Tuple(version UInt64, words String)),
    ranked SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (substringUTF8(token, 1, 4), substringUTF8(token, 1, 6), token, did)
SETTINGS default_compression_codec = 'LZ4', index_granularity = 256, min_compress_block_size = 8192, max_compress_block_size = 16384,
    min_age_to_force_merge_seconds = 21600
