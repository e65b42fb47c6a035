"""Labels, members, blocks in the admin. Django imports this package; the modules register their pages."""

from __future__ import annotations

from labels.admin import do_not_index as do_not_index
from labels.admin import labels as labels
