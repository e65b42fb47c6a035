-- What stands for each two neighbours in posts.words: one of 65,536 tokens, so that the index of a phrase of common words names few posts that do not
-- have it, and takes little space. The same in Python: indexer/index/query/resolved.py.
CREATE OR REPLACE FUNCTION atsiteNeighbours AS (words) -> arrayMap(
    (word, next) -> concat('~', hex(toUInt16(CRC32(concat(word, ' ', next))))),
    arrayPopBack(splitByChar(' ', trimBoth(words))), arrayPopFront(splitByChar(' ', trimBoth(words))))
