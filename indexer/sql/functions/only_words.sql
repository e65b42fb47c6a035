-- A folded text in which spaces stand for the runs of unspaced scripts (atsiteUnspacedRuns) and for what is neither ASCII nor part of a word or an emoji.
-- So do marks that stand on none of these: the fold makes a space and a mark of ´ ¨ ¯ and their like, which people write for quotes ("don´t"). And
-- so do letters that are apostrophes (ʼ in Ukrainian, ʻ in Hawaiian), because a text may have ' or ’ in their place, which separate.
-- One literal: with concat() the index is not used.
CREATE OR REPLACE FUNCTION atsiteOnlyWords AS (folded) -> replaceRegexpAll(
    folded,
    '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]|[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+\\p{Mn}*',
    ' ')
