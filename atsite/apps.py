"""What happens once, when Django starts."""

from __future__ import annotations

import gc

from django.apps import AppConfig


class AtsiteConfig(AppConfig):
    """The project itself: commands, checks, and the ClickHouse backend made fit for it."""

    name = "atsite"

    def ready(self) -> None:
        """Runs before the first query of every process."""
        from apikeys.names import names_of
        from atsite import checks as checks
        from atsite import data_folder, role_groups
        from atsite.celery import app
        from atsite.core.clickhouse import backend
        from atsite.core.config import config
        from labels.admin.names import KEY_NAMES

        KEY_NAMES.provide(names_of)  # by the project: of these two apps neither knows the other
        if config.search.public_page:
            from atsite.public_feeds import public_feeds
            from search.web.public.listed_feeds import FEEDS

            FEEDS.provide(public_feeds)
        backend.install()
        data_folder.keep_private()
        role_groups.connect()
        # `.delay` from any thread of any process goes to this project's broker. Celery's guide imports the app in
        # __init__.py, which makes it that of the importing thread only, and of processes that need no Django.
        app.set_default()
        gc.freeze()  # what is loaded stays: later collections need not look at it
        gc.enable()  # manage.py and atsite.asgi disable it while they load
