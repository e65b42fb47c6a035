"""The feeds that a block may apply to, as choices of a form. The app `feeds` provides them; here they are only rkeys
and names.
"""

from __future__ import annotations

from typing import Final

from atsite.core.form_choices import FormChoices, Named

EVERYWHERE: Final[Named] = ("", "Everywhere: every feed and search")
FEEDS: Final = FormChoices("feeds of blocks", gone="this feed no longer exists")


def choices(also: str = "") -> list[Named]:
    """Everywhere, then the site's feeds, and `also` if it is no longer one of them, for an older block."""
    return [EVERYWHERE, *FEEDS.choices([also] if also else [])]
