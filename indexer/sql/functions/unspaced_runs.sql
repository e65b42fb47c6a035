-- The runs of a folded text in scripts that put no spaces between words, or that glue particles to them (Hangul). ー belongs to both kana.
CREATE OR REPLACE FUNCTION atsiteUnspacedRuns AS (folded) -> extractAll(
    folded, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+')
