-- The words of posts.words that are in scripts with spaces between words.
CREATE OR REPLACE FUNCTION atsiteSpacedOfWords AS (words) -> tokens(
    replaceRegexpAll(words, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+', ''),
    'splitByString', [' '])
