"""Indexes of tags, mentions, links, domains and addressees; words without accents; the units that phrases are found in.

What is stored already is indexed in the background, part by part: `SELECT * FROM system.mutations WHERE NOT is_done`.
Search is right from the first moment, because a part without an index is read in full.
docs/decisions/0098-query-language.md and docs/decisions/0099-accents.md.
"""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

from atsite.core.clickhouse.ddl import create, run

SQL = Path(__file__).parent.parent / "sql"
TOKENS_BEFORE = (SQL / "functions" / "search_tokens.sql").read_text(encoding="utf-8")
TOKENS = (SQL / "changes" / "search_tokens.sql").read_text(encoding="utf-8")
# An index that is still made in the background, by 0015 or by this migration, cannot be dropped.
STOPPED = (
    "KILL MUTATION WHERE database = currentDatabase() AND table = 'posts' AND command LIKE '%MATERIALIZE INDEX%' SYNC"
)
# An index keeps the expressions of its functions: it is made again after them.
NO_INDEX = "ALTER TABLE posts DROP INDEX IF EXISTS tokens SETTINGS alter_sync = 0"
INDEX = "ALTER TABLE posts ADD INDEX IF NOT EXISTS tokens atsiteSearchTokens(text) TYPE text(tokenizer = 'array')"
INDEXED = "ALTER TABLE posts MATERIALIZE INDEX tokens SETTINGS mutations_sync = 0"
FUNCTIONS = ("search_text", "text_units", "phrase_text", "addressees")
INDEXES = {
    "by_tag": "tags",
    "by_mention": "mentions",
    "by_link": "links",
    "by_domain": "domains",
    "by_addressee": "atsiteAddressees(mentions, parent_uri)",
}


class Migration(migrations.Migration):
    dependencies = [("indexer", "0016_plain_words")]
    operations = [
        *(create(__file__, f"functions/{name}.sql", undo="") for name in FUNCTIONS),
        run(STOPPED, undo=""),
        run(NO_INDEX, undo=INDEXED),
        run("", undo=INDEX),
        run(TOKENS, undo=TOKENS_BEFORE),
        *(
            run(
                f"ALTER TABLE posts ADD INDEX IF NOT EXISTS {name} {expression} TYPE text(tokenizer = 'array')",
                undo=f"ALTER TABLE posts DROP INDEX IF EXISTS {name} SETTINGS alter_sync = 0",
            )
            for name, expression in INDEXES.items()
        ),
        run(INDEX, undo=NO_INDEX),
        run(
            f"ALTER TABLE posts {', '.join(f'MATERIALIZE INDEX {name}' for name in ('tokens', *INDEXES))}"
            " SETTINGS mutations_sync = 0",
            undo=STOPPED,
        ),
    ]
