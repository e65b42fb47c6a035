-- Whether a post names a language: `pt` takes pt, PT, por and pt_BR; `pt-BR` takes pt-BR and pt_br, but not pt.
CREATE OR REPLACE FUNCTION atsiteHasLanguage AS (langs, language) -> arrayExists(
    named -> startsWith(concat(atsiteLanguage(named), '-'), concat(atsiteLanguage(language), '-')), langs)
