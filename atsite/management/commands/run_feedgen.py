"""`manage.py run_feedgen`: the feedgen service."""

from __future__ import annotations

from atsite.management.service import ServiceCommand


class Command(ServiceCommand):
    help = "Serve the feeds: did.json, describeFeedGenerator, getFeedSkeleton."
    service = "feedgen"
