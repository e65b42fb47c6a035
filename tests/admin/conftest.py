"""People of each role, logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from atsite.granting import grant

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def groups(db: None) -> None:
    """The site's groups, whatever the flush of an earlier test took away."""
    from django.apps import apps

    grant(using="default", apps=apps)


@pytest.fixture
def login(groups: None) -> Callable[..., Client]:
    """A browser of one who has the named roles; "superuser" is all of them."""

    def logged_in(*roles: str) -> Client:
        name = "-".join(roles) or "nobody"
        person = User.objects.create_user(name, is_staff=True, is_superuser="superuser" in roles)
        person.groups.set(Group.objects.filter(name__in=roles))
        client = Client()
        client.force_login(person)
        return client

    return logged_in
