"""Find words whatever stands beside them and in whatever Unicode form they are written; compare tags and languages.

What is stored already: `ALTER … MATERIALIZE INDEX` and `ALTER … UPDATE` run in the background, part by part. Search is
right from the first moment, because a part without the index is read in full; a rare word may take too long until then.
Progress: `SELECT * FROM system.mutations WHERE NOT is_done`. docs/decisions/0072-search-text.md.
"""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

from atsite.core.clickhouse.ddl import create, run

SQL = Path(__file__).parent.parent / "sql"
FUNCTIONS = (
    "folded_text", "only_words", "spaced_words", "unspaced_runs", "pairs_of_runs", "search_tokens",
    "tag", "language", "has_language",
)  # fmt: skip

POSTS_MV = (SQL / "changes" / "posts_mv.sql").read_text(encoding="utf-8")
TAGS_BEFORE = "arrayMap(t -> lowerUTF8(trim(LEADING '#' FROM t)), written_tags)"
TAGS = "arrayMap(t -> atsiteTag(t), written_tags)"
assert POSTS_MV.count(TAGS_BEFORE) == 1

# The two indexes from the creation of the table: words as ClickHouse cuts them at ASCII, and pairs of the raw text.
WORDS_BEFORE = "ft text TYPE text(tokenizer = splitByNonAlpha, preprocessor = lowerUTF8(text))"
PAIRS_BEFORE = (
    r"cj ngrams(replaceRegexpAll(text, '[^\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Thai}]+', ''), 2)"
    " TYPE text(tokenizer = 'array')"
)


def dropped(index: str, before: str) -> migrations.RunSQL:
    """The index goes, its files in the background; on the way back it is made again."""
    return run(
        f"ALTER TABLE posts DROP INDEX IF EXISTS {index} SETTINGS alter_sync = 0",
        undo=f"ALTER TABLE posts ADD INDEX IF NOT EXISTS {before}",
    )


class Migration(migrations.Migration):
    dependencies = [("indexer", "0014_created_at")]
    operations = [
        *(create(__file__, f"functions/{name}.sql", undo="") for name in FUNCTIONS),
        run(POSTS_MV.replace(TAGS_BEFORE, TAGS), undo=POSTS_MV),
        run("", undo="ALTER TABLE posts MATERIALIZE INDEX ft, MATERIALIZE INDEX cj SETTINGS mutations_sync = 0"),
        dropped("ft", WORDS_BEFORE),
        dropped("cj", PAIRS_BEFORE),
        run(
            "ALTER TABLE posts ADD INDEX IF NOT EXISTS tokens atsiteSearchTokens(text) TYPE text(tokenizer = 'array')",
            undo="ALTER TABLE posts DROP INDEX IF EXISTS tokens SETTINGS alter_sync = 0",
        ),
        run("ALTER TABLE posts MATERIALIZE INDEX tokens SETTINGS mutations_sync = 0", undo=""),
        run(
            "ALTER TABLE posts UPDATE tags ="
            " arrayDistinct(arrayFilter(t -> t != '', arrayMap(t -> atsiteTag(t), tags)))"
            " WHERE notEmpty(tags) SETTINGS mutations_sync = 0",
            undo="",
        ),
    ]
