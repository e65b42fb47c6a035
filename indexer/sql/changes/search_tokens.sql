-- What a post is found by: the tokens of the index `tokens` of the table posts, and of a query.
CREATE OR REPLACE FUNCTION atsiteSearchTokens AS (text) -> arrayConcat(
    atsiteSpacedWords(atsiteSearchText(text)), atsitePairsOfRuns(atsiteUnspacedRuns(atsiteSearchText(text))))
