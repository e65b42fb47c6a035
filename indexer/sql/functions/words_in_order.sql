-- The words of a text in order, between single spaces, as searches compare them: ' the words 東京都 tower '. Stored in posts.words, of which the index is
-- made and in which phrases are found. Folded and without accents (atsiteSearchText) and cut as atsiteSpacedWords cuts; a run of an unspaced script stays
-- together as one word. C++, C# and F# are words. A text in ASCII, as most are in English, needs no folding beyond its case.
CREATE OR REPLACE FUNCTION atsiteWordsInOrder AS (text) -> concat(' ', arrayStringConcat(
    if(isValidASCII(text) AND NOT multiSearchAny(lower(text), ['c++', 'c#', 'f#']),
        tokens(lower(text)),
        tokens(replaceRegexpAll(
            if(multiSearchAny(atsiteSearchText(text), ['c++', 'c#', 'f#']),
                replaceRegexpAll(replaceRegexpAll(atsiteKeptWords(atsiteSearchText(text)), '\\b(c)[+][+]', '\\1＋＋ '), '\\b([cf])#', '\\1＃ '),
                atsiteKeptWords(atsiteSearchText(text))),
            '[\\x{1F1E6}-\\x{1F1FF}]{2}|[\\p{So}]', ' \\0 '))), ' '), ' ')
