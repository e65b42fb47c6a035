"""Names and counts of the actors whom the site shows, asked of the network: the stream tells only of what changes.

Who is needed, most needed first, say the functions that apps provide to `indexer.index.needed_actors.TO_FILL`:
labelled actors, authors in rankings, authors of shown search hits, posters of the last day. A task asks each minute
within a budget, and nobody waits for it.

**Versions.** A filled row counts as of the moment of the asking less an hour (`sql/views/actors_with_fills.sql`): an
AppView may lag, and the stream's own younger event must win. Where the stream missed an event, the filled word wins
once it is an hour younger than the stream's last one. Of two fills the later asked wins.
"""
