"""The query language of search and of feeds made of a search: text to tree, tree to SQL.

`parse` (PURE) reads a text, `resolve` looks up what it names (words as the index cuts them, accounts), and `conditions`
(PURE) makes the condition on the table posts.
"""
