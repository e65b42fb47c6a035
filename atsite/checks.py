"""System checks of the configuration: run by `manage.py check` and by each service at its start."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http.request import split_domain_port, validate_host

from atsite.core.atproto.syntax import is_account_did, parse_account_did
from atsite.core.config import Config, config
from atsite.core.errors import InvalidSyntax

#: The publisher of the feeds of a site without FEED_ACTOR_DID, outside production.
LOCAL_PUBLISHER: Final = "did:web:localhost"
#: What a service listens on.
LISTEN_HOST: Final = "an IP address of this machine, or localhost"

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.apps import AppConfig


@register(Tags.security)
def check_configuration(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The configuration of this process."""
    return problems(config)


def problems(site: Config) -> list[CheckMessage]:
    """The settings that would let anyone in, or no one."""
    found: list[CheckMessage] = []
    if site.environment == "demo" and not is_loopback(site.listen_host):
        text = "The demo listens on an address that other machines can reach. It is made for this machine only."
        found.append(Error(text, hint="Unset LISTEN_HOST, or use `./just up`.", id="atsite.E001"))
    if not is_listen_host(site.listen_host):
        text = f"LISTEN_HOST={site.listen_host[:80]!r} is not an address to listen on."
        found.append(Error(text, hint=f"Set it to {LISTEN_HOST}.", id="atsite.E005"))
    if site.production and not site.allowed_hosts:
        text = "ALLOWED_HOSTS is empty. In production, the services then refuse every request."
        found.append(Error(text, hint="Set it to the host names of this site, separated by commas.", id="atsite.E002"))
    if site.production and "*" in site.allowed_hosts:
        text = "ALLOWED_HOSTS=* accepts any Host header, so a request can choose the host in the links of a page."
        found.append(Warning(text, hint="List the host names of this site.", id="atsite.W003"))
    if any(network.prefixlen == 0 for network in site.trusted_proxies):
        text = "TRUSTED_PROXIES trusts every address, so anyone can choose the address that the login throttle counts."
        found.append(Warning(text, hint="List only the addresses of your reverse proxies.", id="atsite.W004"))
    return [*found, *_publisher_problems(site), *_endpoint_problems(site), *_cleanup_problems(site)]


def _publisher_problems(site: Config) -> list[CheckMessage]:
    did = site.feed_actor_did
    if not did or (did == LOCAL_PUBLISHER and not site.production):
        return []
    try:
        spelled = parse_account_did(did, loopback=site.allow_loopback)
    except InvalidSyntax as error:
        text, hint = f"FEED_ACTOR_DID: {error}.", "Set it to the did of the account that publishes the feeds."
    else:
        text, hint = "FEED_ACTOR_DID has capital letters in its host name.", f"Write it as {spelled}."
        if spelled == did:
            return []
    return [Error(text, hint=hint, id="atsite.E006")]


def _endpoint_problems(site: Config) -> list[CheckMessage]:
    """What keeps the network from reaching the feed generator of a public site."""
    found: list[CheckMessage] = []
    if not (site.production and site.service_endpoint):
        return found
    if not site.service_endpoint.startswith("https://") or not is_account_did(site.service_did):
        text = f"SERVICE_ENDPOINT={site.service_endpoint} cannot be used by the network."
        hint = "Set it to https://HOST: a public host name, without a port."
        found.append(Error(text, hint=hint, id="atsite.E007"))
    host, _ = split_domain_port(site.service_endpoint.partition("://")[2].lower())
    # The other services have host names of their own.
    if site.service in ("feedgen", "manage") and site.allowed_hosts and not validate_host(host, site.allowed_hosts):
        text = f"ALLOWED_HOSTS lacks {host}, the host of SERVICE_ENDPOINT: the feed generator refuses the network."
        found.append(Warning(text, hint=f"Add {host} to ALLOWED_HOSTS.", id="atsite.W008"))
    return found


def _cleanup_problems(site: Config) -> list[CheckMessage]:
    """What keeps owners of accounts from the page of clean-ups."""
    host, allowed = site.cleanup.host, site.allowed_hosts
    if not site.production or not host or not allowed or validate_host(host, allowed):
        return []
    if site.service not in ("search", "manage"):
        return []  # the other services have host names of their own
    text = f"ALLOWED_HOSTS lacks CLEANUP_HOST={host[:80]!r}: the page of clean-ups refuses every request."
    return [Warning(text, hint="Add it to ALLOWED_HOSTS of the search service.", id="atsite.W009")]


def is_listen_host(host: str) -> bool:
    """Whether `host` is what LISTEN_HOST says; not whether this machine has the address."""
    try:
        return bool(ip_address(host))
    except ValueError:
        return host == "localhost"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
