"""Writes the roles into Django's groups after each `migrate`, so that roles also cover new models and rights.

The three groups belong to the site: manual changes to them are undone. For other rights, add another group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps as all_apps
from django.db.models.signals import post_migrate

from atsite.core.roles import ROLES
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.apps.registry import Apps

    from atsite.core.roles import Role


def connect() -> None:
    """Connect to the post_migrate signal of the last app, when every permission has its row.

    Django sends no such signal for an app without models (django.core.management.sql).
    """
    sent = [config for config in all_apps.get_app_configs() if config.models_module is not None]
    post_migrate.connect(grant, sender=sent[-1], dispatch_uid="atsite.role_groups")


def grant(*, using: str, apps: Apps = all_apps, **_: Any) -> None:
    """Create the groups, and give each exactly the permissions of its role.

    `apps` is the state after the last migration; a `flush` passes none.
    """
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        return  # only some apps are migrated, and there are no groups yet
    if using != DEFAULT:
        return
    ids = {
        f"{app}.{codename}": pk
        for app, codename, pk in permission_model.objects.values_list("content_type__app_label", "codename", "pk")
    }
    for role in ROLES:
        group, _created = group_model.objects.get_or_create(name=role.name)
        group.permissions.set([ids[name] for name in permissions(role) if name in ids])


def permissions(role: Role) -> Iterator[str]:
    """Every permission of a role, as `has_perm` takes it."""
    for model in all_apps.get_models():
        for verb in role.verbs(model._meta.label_lower):
            yield f"{model._meta.app_label}.{verb}_{model._meta.model_name}"
    for right in role.rights:
        yield right.permission
