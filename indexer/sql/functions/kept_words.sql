-- What atsiteOnlyWords leaves of a folded text, with the runs of unspaced scripts still in it, each between spaces and without the marks that follow it.
CREATE OR REPLACE FUNCTION atsiteKeptWords AS (folded) -> replaceRegexpAll(
    replaceRegexpAll(
        folded,
        '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]',
        ' '),
    '([\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+)\\p{Mn}*', ' \\1 ')
