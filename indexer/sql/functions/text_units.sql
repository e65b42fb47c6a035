-- The words of a folded text in order, and each character of an unspaced script for itself, between single spaces: a phrase is found in it as text.
-- It cuts where atsiteSpacedWords does (atsiteOnlyWords, whose last part would blank the unspaced scripts), but C++ is c here, on both sides.
CREATE OR REPLACE FUNCTION atsiteTextUnits AS (folded) -> concat(' ', arrayStringConcat(tokens(replaceRegexpAll(
    replaceRegexpAll(
        folded,
        '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]',
        ' '),
    '[\\x{1F1E6}-\\x{1F1FF}]{2}|[\\p{So}\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]',
    ' \\0 ')), ' '), ' ')
