-- posts.words with each character of an unspaced script for itself: a phrase that has some is found in it, whatever spaces are between them.
CREATE OR REPLACE FUNCTION atsiteUnitsOfWords AS (words) -> concat(' ', arrayStringConcat(tokens(
    replaceRegexpAll(words, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]', ' \\0 '),
    'splitByString', [' ']), ' '), ' ')
