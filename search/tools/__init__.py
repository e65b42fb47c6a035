"""Tools of the predecessor: addresses of records, exports of repos, members of lists."""
