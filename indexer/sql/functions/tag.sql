-- A tag as it is compared: folded as text is, without # in front, spaces outside and more than one space inside. "  ＃Machine  Learning" -> "machine learning".
CREATE OR REPLACE FUNCTION atsiteTag AS (tag) -> trimRight(replaceRegexpOne(
    replaceRegexpAll(atsiteFoldedText(tag), '[\\s\\p{Z}\\x{85}]+', ' '), '^[ #]+', ''))
