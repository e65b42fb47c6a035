"""Django finds models by this name; they live in indexer.index.models."""

from __future__ import annotations

from indexer.index import models as models
