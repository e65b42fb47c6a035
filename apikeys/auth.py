"""API keys in django-ninja: `auth=[ApiKeyAuth(), …]`. `request.auth` is then a Principal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ninja.security import APIKeyHeader

from apikeys.check import check
from apikeys.keys import PREFIX

if TYPE_CHECKING:
    from django.http import HttpRequest

    from atsite.core.web.auth import Principal

HEADER: Final = "X-API-Key"
BEARER: Final = "bearer"


class ApiKeyAuth(APIKeyHeader):
    """A key in `X-API-Key`, or in `Authorization: Bearer atsk_…`.

    None if there is neither, so that the next authenticator is tried. An invalid key raises what `apikeys.check.check`
    raises, and never falls through to a weaker authenticator. Only for operations that are not coroutines.
    """

    param_name = HEADER

    def _get_key(self, request: HttpRequest) -> str | None:
        key = request.headers.get(HEADER)
        if key is not None:
            return key.strip()
        return bearer_key(request.headers.get("Authorization", ""))

    def authenticate(self, request: HttpRequest, key: str | None) -> Principal | None:
        """The holder of the key."""
        return None if key is None else check(key)


def bearer_key(authorization: str) -> str | None:
    """The API key in an Authorization header, good or not; None where there is another credential, or none."""
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    return token if scheme.lower() == BEARER and token.startswith(PREFIX) else None
