"""The admin pages of labels, members and blocks. Django imports this package; its modules register the pages."""

from __future__ import annotations

from labels.admin import do_not_index as do_not_index
from labels.admin import labels as labels
