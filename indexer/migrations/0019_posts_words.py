"""Store the words of posts in a column, and make the index of words of it, with the neighbours of phrases.

The expression of an index is written out in each query. That of atsiteSearchTokens took 15 ms of planning in each of
the five statements of a search; this one takes 2. `eligible` is stored for the same reason. Small compressed blocks,
and LZ4 for the two columns of the key, make it cheap to read one row in a thousand.

What is stored already is rewritten in the background, part by part: `SELECT * FROM system.mutations WHERE NOT is_done`.
Search is right from the first moment, because a part without the column or the index is read in full.
docs/decisions/0106-words-of-posts.md.
"""

from __future__ import annotations

from pathlib import Path

import clickhouse_backend.models
from django.db import migrations

from atsite.core.clickhouse.ddl import create, run

SQL = Path(__file__).parent.parent / "sql"
FUNCTIONS = ("kept_words", "words_in_order", "spaced_of_words", "neighbours", "word_tokens", "units_of_words")
# What nothing uses any more: name of the function -> the file that makes it again on the way back.
REPLACED = {
    "atsiteSearchTokens": "changes/search_tokens.sql",
    "atsitePhraseText": "functions/phrase_text.sql",
    "atsiteTextUnits": "functions/text_units.sql",
}
# An index that is still made in the background, by an earlier migration or by this one, cannot be dropped.
STOPPED = "KILL MUTATION WHERE database = currentDatabase() AND table = 'posts' AND command LIKE '%MATERIALIZE%' SYNC"
NO_INDEX = "ALTER TABLE posts DROP INDEX IF EXISTS tokens SETTINGS alter_sync = 0"
INDEX = "ALTER TABLE posts ADD INDEX IF NOT EXISTS tokens {expression} TYPE text(tokenizer = 'array')"
MADE = "ALTER TABLE posts {parts} SETTINGS mutations_sync = 0"
ELIGIBLE = """
ALTER TABLE posts MODIFY COLUMN eligible UInt8 {kind} atsiteIsEligibleTid(rkey, version)
AND ifNull(toUnixTimestamp64Milli(created_at) * 1000 + 86400000000 >= toInt64(atsiteTidToMicros(rkey)), 0)
"""
COLUMN = (
    "ALTER TABLE posts ADD COLUMN IF NOT EXISTS words String MATERIALIZED atsiteWordsInOrder(text)"
    " CODEC(ZSTD(3)) AFTER text"
)


def text_of(file: str) -> str:
    return (SQL / file).read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("indexer", "0018_people")]
    operations = [
        *(create(__file__, f"functions/{name}.sql", undo="") for name in FUNCTIONS),
        run(STOPPED, undo=MADE.format(parts="MATERIALIZE INDEX tokens")),
        run(NO_INDEX, undo=INDEX.format(expression="atsiteSearchTokens(text)")),
        *(run(f"DROP FUNCTION IF EXISTS {name}", undo=text_of(file)) for name, file in REPLACED.items()),
        run(
            "ALTER TABLE posts MODIFY SETTING min_compress_block_size = 8192",
            undo="ALTER TABLE posts RESET SETTING min_compress_block_size",
        ),
        *(
            run(
                f"ALTER TABLE posts MODIFY COLUMN {column} String CODEC(LZ4)",
                undo=f"ALTER TABLE posts MODIFY COLUMN {column} REMOVE CODEC",
            )
            for column in ("rkey", "did")
        ),
        run(ELIGIBLE.format(kind="MATERIALIZED"), undo=ELIGIBLE.format(kind="ALIAS")),
        run(COLUMN, undo="ALTER TABLE posts DROP COLUMN IF EXISTS words"),
        migrations.AddField("post", "words", clickhouse_backend.models.StringField()),
        run(INDEX.format(expression="atsiteWordTokens(words)"), undo=NO_INDEX),
        run(
            MADE.format(parts="MATERIALIZE COLUMN eligible, MATERIALIZE COLUMN words, MATERIALIZE INDEX tokens"),
            undo=STOPPED,
        ),
    ]
