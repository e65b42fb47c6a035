"""People of each role, logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client

from atsite.role_groups import grant
from tests.feeds.kind_cases import PUBLISHER
from tests.test_services import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis
    from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture
def groups(db: None) -> None:
    """The site's groups, whatever the flush of an earlier test took away."""
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


@pytest.fixture(scope="module")
def content_types(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[tuple[str, str], int]:
    """The ids that a service which is started now remembers for as long as it runs."""
    with django_db_blocker.unblock():
        return {(kind.app_label, kind.model): kind.pk for kind in ContentType.objects.all()}


@pytest.fixture(scope="module")
def service(content_types: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running admin of a site whose feeds have a publisher."""
    with Service("admin", tmp_path_factory.mktemp("admin") / "log", FEED_ACTOR_DID=PUBLISHER) as running:
        running.wait_until_up()
        yield running


@pytest.fixture
def browsed(
    content_types: dict[tuple[str, str], int],
    clickhouse: None,
    transactional_db: None,
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For tests with a browser on a running admin, whose memory must fit the database after an earlier test's flush."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright has an event loop in this thread
    with transaction.atomic():
        ContentType.objects.all().delete()
        ContentType.objects.bulk_create(
            ContentType(pk=pk, app_label=app, model=model) for (app, model), pk in content_types.items()
        )
    ContentType.objects.clear_cache()
    for app in apps.get_app_configs():
        create_permissions(app, verbosity=0)
    grant(using="default", apps=apps)
