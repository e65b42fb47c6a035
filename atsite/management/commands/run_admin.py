"""`manage.py run_admin`: the admin service."""

from __future__ import annotations

from atsite.management.service import ServiceCommand


class Command(ServiceCommand):
    help = "Serve the admin."
    service = "admin"
