"""Looks at the configuration before anything starts (`manage.py check`, and each service by itself)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register

from atsite.core.config import Config, config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.apps import AppConfig


@register(Tags.security)
def check_configuration(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The configuration of this process."""
    return problems(config)


def problems(site: Config) -> list[CheckMessage]:
    """What of it would let anyone in, or no one."""
    found: list[CheckMessage] = []
    if site.environment == "demo" and not _is_loopback(site.listen_host):
        text = "The demo listens where others can reach it: its data is made up and its stores trust this machine."
        found.append(Error(text, hint="Leave LISTEN_HOST away, or use `./just up`.", id="atsite.E001"))
    if site.production and not site.allowed_hosts:
        text = "ALLOWED_HOSTS is empty: in production the services refuse every request."
        found.append(Error(text, hint="Set it to the names that people use, comma-separated.", id="atsite.E002"))
    if site.production and "*" in site.allowed_hosts:
        text = "ALLOWED_HOSTS=* lets any name through, and anyone who points one here decides what the pages link to."
        found.append(Warning(text, hint="Name the hosts.", id="atsite.W003"))
    if any(network.prefixlen == 0 for network in site.trusted_proxies):
        text = "TRUSTED_PROXIES trusts every address: anyone can choose the address that the login limit counts."
        found.append(Warning(text, hint="Name the address of the proxy in front.", id="atsite.W004"))
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
