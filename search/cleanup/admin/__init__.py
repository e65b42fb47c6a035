"""The admin pages of clean-ups. Django imports this package; its modules register the pages."""

from __future__ import annotations

from search.cleanup.admin import audit as audit
from search.cleanup.admin import jobs as jobs
from search.cleanup.admin import refused_accounts as refused_accounts
