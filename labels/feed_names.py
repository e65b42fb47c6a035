"""The feeds that a block may be for, as choices of a form. The app that owns feeds provides all of them; here they are
names (rkeys) alone.
"""

from __future__ import annotations

from typing import Final

from atsite.core.form_choices import FormChoices, Named

EVERYWHERE: Final[Named] = ("", "Everywhere: every feed and search")
FEEDS: Final = FormChoices("feeds of blocks", gone="this feed no longer exists")


def choices(also: str = "") -> list[Named]:
    """Everywhere, then the site's feeds, and `also` where it is none (any more): an older block may name it still."""
    return [EVERYWHERE, *FEEDS.choices([also] if also else [])]
