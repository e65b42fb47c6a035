-- The words of a display name, folded and cut as texts are (atsiteSearchTokens); what is written without spaces (Han, kana, …) is one word for each run.
-- What is left out is longer than any display name of the lexicon, which allows 64 graphemes. The lambda folds once, not once for each use.
CREATE OR REPLACE FUNCTION atsiteNameWords AS name -> arrayFlatten(arrayMap(
    folded -> arrayDistinct(arrayConcat(
        arrayMap(word -> substringUTF8(word, 1, 32), atsiteSpacedWords(folded)),
        atsiteUnspacedRuns(folded))),
    [atsiteSearchText(substringUTF8(name, 1, 128))]))
