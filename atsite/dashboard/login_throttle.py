"""The login throttle: limits attempts per minute for each client address, and for each user name.

The limit per name is the larger one, so that one attacker reaches their own limit before they lock a user out.
"""

from __future__ import annotations

import math
from typing import Any, Final

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from atsite.core.kv.rate_limit import RateLimit
from atsite.core.web.auth import client_address

#: Attempts a minute; a user who mistypes a password does not reach it.
PER_ADDRESS: Final = 10
#: Attempts a minute; 43,200 guesses a day do not find a password of 12 characters or more.
PER_NAME: Final = 30
#: As long as the longest user name.
NAME_MAX: Final = 150

_addresses, _names = RateLimit("login:address"), RateLimit("login:name")


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    """Counts each attempt before it checks the password."""

    def clean(self) -> dict[str, Any]:
        wait = _addresses.take(client_address(self.request) if self.request else "", PER_ADDRESS)
        # Refused attempts do not count for the name: one client must not lock out a user, or fill Redis with names.
        if not wait and (name := str(self.data.get("username", ""))[:NAME_MAX].casefold()):
            wait = _names.take(name, PER_NAME)
        if wait:
            seconds = math.ceil(wait)
            text = f"Too many attempts to log in. Try again in {seconds} second{'' if seconds == 1 else 's'}."
            raise ValidationError(text, code="too_many")
        return super().clean()  # type: ignore[no-any-return]
