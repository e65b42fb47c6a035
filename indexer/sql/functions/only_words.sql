-- A folded text in which spaces stand for the runs of unspaced scripts (atsiteUnspacedRuns) and for what is neither ASCII nor part of a word or an emoji.
CREATE OR REPLACE FUNCTION atsiteOnlyWords AS (folded) -> replaceRegexpAll(
    folded,
    '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+|[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+',
    ' ')
