-- What a post was found by before accents were folded; changes/search_tokens.sql replaces it.
CREATE OR REPLACE FUNCTION atsiteSearchTokens AS (text) -> arrayConcat(
    atsiteSpacedWords(atsiteFoldedText(text)), atsitePairsOfRuns(atsiteUnspacedRuns(atsiteFoldedText(text))))
