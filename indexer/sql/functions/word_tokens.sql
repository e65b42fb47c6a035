-- What a post is found by: the tokens of the index `tokens` of the table posts, made of posts.words.
CREATE OR REPLACE FUNCTION atsiteWordTokens AS (words) -> arrayConcat(
    atsiteSpacedOfWords(words), atsitePairsOfRuns(atsiteUnspacedRuns(words)), atsiteNeighbours(words))
