"""The feeds that a key may cover, as choices of a form. The app `feeds` provides those with members; here they are
only rkeys and names.
"""

from __future__ import annotations

from typing import Final

from atsite.core.form_choices import FormChoices

FEEDS: Final = FormChoices("feeds of keys", gone="no feed with members has this name")
