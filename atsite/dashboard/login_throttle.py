"""The login: so many tries a minute for each client address, and more, yet not for ever, for each user name.

The limit of a name is the larger one, so that a single attacker runs into their own limit before they lock someone out.
"""

from __future__ import annotations

import math
from typing import Any, Final

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from atsite.core.kv.rate import RateLimit
from atsite.core.web.auth import client_address

#: Someone who mistypes a password does not get near it.
PER_ADDRESS: Final = 10
#: With 12 characters and more, 43,200 guesses a day find nothing.
PER_NAME: Final = 30
#: Longer than any name.
NAME_MAX: Final = 150

_addresses, _names = RateLimit("login:address"), RateLimit("login:name")


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    """Counts each try before a password is looked at."""

    def clean(self) -> dict[str, Any]:
        wait = _addresses.take(client_address(self.request) if self.request else "", PER_ADDRESS)
        # A try that is refused says nothing of a name: one client must neither lock it out nor fill Redis with names.
        if not wait and (name := str(self.data.get("username", ""))[:NAME_MAX].casefold()):
            wait = _names.take(name, PER_NAME)
        if wait:
            seconds = math.ceil(wait)
            text = f"Too many attempts to log in. Try again in {seconds} second{'' if seconds == 1 else 's'}."
            raise ValidationError(text, code="too_many")
        return super().clean()  # type: ignore[no-any-return]
