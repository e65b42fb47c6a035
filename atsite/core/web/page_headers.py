"""What every answer that is a page for people has: a policy for content, no frame of another site, HTTPS only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.config import config

if TYPE_CHECKING:
    from django.http import HttpResponse

#: Only what the page brings with it; no script or style inside the HTML, and no frame of another site around it.
_SCRIPTS: Final = ("script-src 'self'",)
_CONNECTIONS: Final = ("connect-src 'self'",)


def policy(*, scripts: bool) -> str:
    """The content policy of a page; `scripts`: it has some of its own, which ask its own server."""
    return "; ".join(
        (
            "default-src 'none'",
            *(_SCRIPTS if scripts else ()),
            "style-src 'self'",
            "img-src 'self'",
            *(_CONNECTIONS if scripts else ()),
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def guard(response: HttpResponse, content_policy: str) -> None:
    """Set the headers, and mark the answer as a page, whose errors are no XRPC bodies."""
    response["Content-Security-Policy"] = content_policy
    response["Cross-Origin-Opener-Policy"] = "same-origin"
    response["X-Frame-Options"] = "DENY"
    if config.production:
        response["Strict-Transport-Security"] = "max-age=31536000"
    response.is_page = True  # type: ignore[attr-defined]  # for atsite.core.web.xrpc.ErrorBodies
