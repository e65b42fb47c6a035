"""Fetches names and counts of the actors that the site shows, because the stream reports only changes.

Apps list the needed actors, the most needed first, in `indexer.index.needed_actors.TO_FILL`: labelled actors, authors
in rankings, authors of shown search results, posters of the last day. A task fetches some every minute within a budget,
in the background.

**Versions.** A filled row counts as an hour older than the request (`sql/views/actors_with_fills.sql`): an AppView may
lag, and a newer event of the stream must win. If the stream missed an event, a fill wins once it is an hour newer than
the stream's last event. The later of two fills wins.
"""
