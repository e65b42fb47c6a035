"""The feeds that a key may cover, as choices of a form. The app that owns feeds provides those that have members; here
they are names (rkeys) alone.
"""

from __future__ import annotations

from typing import Final

from atsite.core.form_choices import FormChoices

FEEDS: Final = FormChoices("feeds of keys", gone="no feed with members has this name")
