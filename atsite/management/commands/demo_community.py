"""`manage.py demo_community`: run by `demo` once its site is up."""

from __future__ import annotations

import shlex

from django.core.management.base import BaseCommand, CommandError

from atsite.core.config import Config, config, usual_data_dir
from atsite.management import demo_community


class Command(BaseCommand):
    help = "Add a community to the running demo: members, keys, blocks and readers. Each part is added only once."
    requires_system_checks = ()

    def handle(self, *args: object, **options: object) -> None:
        if config.environment != "demo":
            raise CommandError(f"ATSITE_ENVIRONMENT={config.environment} is set: only the demo has a made-up community")
        demo_community.add_community(config, self.stderr.write)
        if handle := demo_community.member_to_try():
            self.stdout.write("  Read the private feed of the community as one of its members:")
            self.stdout.write(f"    {variables(config)}.venv/bin/python manage.py viewer_token {handle} --feed a-mpls")


def variables(site: Config) -> str:
    """What a command line needs before `manage.py` to find this site, with a space after it; "" on the usual folder."""
    if site.data_dir == usual_data_dir("demo"):
        return ""
    return f"DATA_DIR={shlex.quote(str(site.data_dir))} "
