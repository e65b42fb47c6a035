"""`manage.py run_search`: the search service."""

from __future__ import annotations

from atsite.management.service import ServiceCommand


class Command(ServiceCommand):
    help = "Serve search and statistics."
    service = "search"
