"""What each list of ClickHouse's rows in the admin is searched by, and which begin with the newest row."""

from __future__ import annotations

from django.contrib import admin

from atsite.core.clickhouse.admin import ReadOnlyAdmin

#: Model -> the field whose beginning its search box takes, and whether the newest row comes first.
LISTS = {
    "actor": (["did"], False),
    "actoraccount": (["did"], False),
    "actorcounts": (["did"], False),
    "actorfill": (["did"], False),
    "actoridentity": (["did"], False),
    "actorprofile": (["did"], False),
    "apikeyusage": (["key_id"], False),
    "block": (["did"], False),
    "dailystats": ([], True),
    "deadletter": (["id"], False),
    "engagement": (["subject_rkey"], False),
    "feedinteraction": (["feed"], False),
    "feedusage": (["feed"], False),
    "follow": (["did"], False),
    "follower": (["subject_did"], False),
    "indexercheckpoint": ([], True),
    "like": (["rkey"], True),
    "post": (["rkey", "did"], True),
    "postbyactor": (["did"], False),
    "purge": (["did"], False),
    "recentpost": (["rkey"], True),
    "repofloor": (["did"], False),
    "reporecord": (["collection"], False),
    "repost": (["rkey"], True),
    "rereading": ([], False),
    "retraction": (["kind"], False),
    "streamgap": ([], True),
}


def test_each_list_of_indexed_data_is_searched_by_its_key_and_some_begin_with_the_newest_row() -> None:
    lists = {
        str(model._meta.model_name): (list(shown.search_prefix_fields), shown.newest_first)
        for model, shown in admin.site._registry.items()
        if isinstance(shown, ReadOnlyAdmin)
    }
    assert lists == LISTS
