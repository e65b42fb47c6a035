"""Labels in empty stores."""

from __future__ import annotations

from tests.publish.conftest import label

__all__ = ["label"]
