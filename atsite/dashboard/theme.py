"""How the admin looks: unfold's settings (https://unfoldadmin.com/docs/configuration/settings/).

One hue for everything that can be pressed, greys for the rest; red, amber and green are kept for states. Text on
`primary-600` and text in `primary-600` on white have a contrast above 4.5 : 1, `primary-500` has it on the dark ground.
"""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static

from atsite.dashboard.navigation import NAVIGATION


def _style(_request: object) -> str:
    return static("atsite/admin.css")


def _icon(_request: object) -> str:
    return static("atsite/icon.svg")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "atsite",
    "SITE_HEADER": "atsite",
    "SITE_SUBHEADER": "feeds for a community",
    "SITE_URL": None,
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [_style],
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        "navigation": NAVIGATION,
    },
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 220)",
            "100": "oklch(94.5% .024 220)",
            "200": "oklch(89% .045 220)",
            "300": "oklch(82% .068 220)",
            "400": "oklch(74% .085 220)",
            "500": "oklch(68% .09 222)",
            "600": "oklch(47% .085 225)",
            "700": "oklch(41% .078 226)",
            "800": "oklch(35% .066 228)",
            "900": "oklch(29% .052 230)",
            "950": "oklch(22% .04 232)",
        },
    },
}
