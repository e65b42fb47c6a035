"""The suite's own flush leaves what Django's leaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import connection

from feeds.models import FeedDefinition
from labels.models import Label
from tests.flushing import flush

pytestmark = pytest.mark.django_db(transaction=True)


def contents() -> dict[str, Any]:
    """How many rows each table has, and what the rows of the groups say, whatever their ids."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        counts = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            counts[table] = cursor.fetchone()[0]
    rights = {
        group.name: sorted(group.permissions.values_list("content_type__app_label", "codename"))
        for group in Group.objects.all()
    }
    return {"counts": counts, "rights": rights, "feeds": sorted(FeedDefinition.objects.values_list("rkey", "enabled"))}


def change_much() -> None:
    Label.objects.create(name="gone", meaning="what a test wrote")
    User.objects.create_user("someone").groups.set(Group.objects.all())
    FeedDefinition.objects.update(enabled=False)
    FeedDefinition.objects.create(rkey="another", kind="hot", display_name="another")
    Group.objects.get(name="viewers").permissions.set(Permission.objects.all())
    Group.objects.exclude(name="viewers").delete()
    Permission.objects.filter(codename="view_label").delete()


def test_it_leaves_what_a_flush_leaves() -> None:
    call_command("flush", verbosity=0, interactive=False)
    flushed = contents()
    for _ in range(2):  # the first of a session remembers
        change_much()
        assert contents() != flushed
        flush()
        assert contents() == flushed
