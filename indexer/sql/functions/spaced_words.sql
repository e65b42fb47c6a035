-- The words of a folded text in scripts that put spaces between words: runs of letters, digits and their marks. An emoji is a word of its own without
-- its skin tone, and so is a flag. C++, C# and F# are words (their signs are kept as ＋ and ＃); every other character separates words.
-- Only what is not ASCII needs the expressions: tokens() cuts at the rest.
CREATE OR REPLACE FUNCTION atsiteSpacedWords AS (folded) -> tokens(replaceRegexpAll(
    if(multiSearchAny(folded, ['c++', 'c#', 'f#']),
        replaceRegexpAll(replaceRegexpAll(atsiteOnlyWords(folded), '\\b(c)[+][+]', '\\1＋＋ '), '\\b([cf])#', '\\1＃ '),
        atsiteOnlyWords(folded)),
    '[\\x{1F1E6}-\\x{1F1FF}]{2}|[\\p{So}]', ' \\0 '))
