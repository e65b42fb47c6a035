"""The look of the admin: unfold's settings (https://unfoldadmin.com/docs/configuration/settings/).

Its colours are in static/atsite/admin.css: unfold would write them into a <style> of each page, which the content
security policy forbids (atsite.dashboard.admin_site leaves them out).
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
    "LOGIN": {"form": "atsite.dashboard.login_throttle.LoginForm"},
    "STYLES": [_style],
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        "navigation": NAVIGATION,
    },
}
