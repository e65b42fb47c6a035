"""Users, roles and the log of changes, in the admin's theme."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from atsite.core.admin_base import CompletesRows, ViewOnly
from atsite.core.clickhouse.models import ReadModel
from atsite.core.roles import MEANINGS, ROLES
from indexer.admin.columns import NOBODY, called, foreign, names

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from atsite.core.roles import Role

admin.site.unregister([User, Group])


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    """Users. Only a superuser can grant, revoke or edit more rights than they have themselves."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    url_rights = {"auth_user_password_change": "change"}
    list_display = ("username", "email", "roles", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    filter_horizontal = ("user_permissions",)

    @admin.display(description="roles")
    def roles(self, person: User) -> str:
        """The names of the roles."""
        return ", ".join(group.name for group in person.groups.all())

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if _of(request).is_superuser else [*fields, "is_superuser", "user_permissions"]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs |= {
                "widget": UnfoldAdminCheckboxSelectMultipleWidget,
                "label": "Roles",
                "help_text": "What this person may do. Several roles add up.",
            }
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups" and not _of(request).is_superuser:
            own = Permission.objects.filter(group__user=_of(request))
            beyond = Permission.objects.exclude(pk__in=own)
            field.queryset = Group.objects.exclude(permissions__in=beyond)
        return field

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _outranks(obj, _of(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _outranks(obj, _of(request))


def _of(request: HttpRequest) -> User:
    return cast("User", request.user)  # every page of the admin is behind its login


def _outranks(one: User | None, other: User) -> bool:
    """Whether `one` may do something that `other` may not."""
    if one is None or other.is_superuser:
        return False
    return one.is_superuser or not one.get_all_permissions() <= other.get_all_permissions()


@admin.register(Group)
class RoleAdmin(GroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Roles. Those of the site (atsite/core/roles.py) are read-only: `migrate` would undo any change."""

    list_display = ("name", "meaning", "people")

    @admin.display(description="meaning")
    def meaning(self, group: Group) -> str:
        """In words, for the roles that come with the site."""
        role = _role(group)
        return role.meaning if role else "added on this site"

    @admin.display(description="people")
    def people(self, group: Group) -> int:
        """How many have it."""
        return group.user_set.count()

    @admin.display(description="changes")
    def changes(self, group: Group) -> SafeString:
        """The rows that a role of the site adds, changes or deletes."""
        return _lines(_rows(_role(group), changing=True))

    @admin.display(description="only looks at")
    def looks_at(self, group: Group) -> SafeString:
        """The rows that a role of the site may only view."""
        return _lines(_rows(_role(group), changing=False))

    @admin.display(description="also may")
    def also(self, group: Group) -> SafeString:
        """Its rights beyond rows."""
        role = _role(group)
        return _lines([MEANINGS[right] for right in MEANINGS if role and right in role.rights])

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A role of the site in words: its permissions are a hundred lines."""
        words = ("name", "meaning", "people", "changes", "looks_at", "also")
        return words if _role(obj) else ("name", "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj) if _role(obj) else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _role(obj) is None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _role(obj) is None


def _role(group: Group | None) -> Role | None:
    """The role of the site with this name; None for a group that an operator added."""
    return next((role for role in ROLES if group is not None and role.name == group.name), None)


def _rows(role: Role | None, *, changing: bool) -> list[str]:
    """The plural names of the models that the role may change, or may only view."""
    found = []
    for model in admin.site._registry:
        verbs = role.verbs(model._meta.label_lower) if role else frozenset()
        changed = bool(verbs - {"view"}) and not issubclass(model, ReadModel)  # read-only for everyone
        if verbs and changed is changing:
            app = apps.get_app_config(model._meta.app_label)
            found.append(f"{app.verbose_name}: {model._meta.verbose_name_plural}")
    return sorted(found)


def _lines(words: list[str]) -> SafeString:
    """A list, or a dash."""
    if not words:
        return format_html("{}", "–")
    return format_html('<ul class="at-lines">{}</ul>', format_html_join("", "<li>{}</li>", ((each,) for each in words)))


#: What to show where the log entry has no message.
DONE: Final = {ADDITION: "Added.", CHANGE: "Changed.", DELETION: "Deleted."}
_DID: Final = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9_-]")


@admin.register(LogEntry)
class LogEntryAdmin(CompletesRows, ViewOnly):
    """Who did what in the admin, newest first. Read-only."""

    list_display = ("action_time", "user", "kind", "row", "what")
    fields = list_display
    list_filter = ("action_flag", "user", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__username")
    date_hierarchy = "action_time"

    @admin.display(description="of")
    def kind(self, entry: LogEntry) -> str:
        """What people call such rows."""
        return str(entry.content_type.name) if entry.content_type else ""

    @admin.display(description="row")
    def row(self, entry: LogEntry) -> str:
        """The name of the row at that time, with actors by their handles."""
        known = entry.__dict__.get("names")
        if known is None:
            known = names(set(_DID.findall(entry.object_repr)))
        return foreign(_DID.sub(lambda found: called(found[0], known.get(found[0], NOBODY)), entry.object_repr))

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        """The change in words."""
        return _told(entry) or DONE.get(entry.action_flag, "")

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add the names of the actors that the rows name, from one query."""
        known = names({did for entry in rows for did in _DID.findall(entry.object_repr)})
        for entry in rows:
            entry.__dict__["names"] = known


def _told(entry: LogEntry) -> str:
    """The message of Django or of a page, with the fields' readable names."""
    try:
        parts = json.loads(entry.change_message)
    except ValueError:
        return str(entry.get_change_message())
    for part in parts if isinstance(parts, list) else []:
        if "fields" in part.get("changed", {}):
            part["changed"]["fields"] = [_plain(name) for name in part["changed"]["fields"]]
    return str(LogEntry(change_message=json.dumps(parts)).get_change_message())


def _plain(name: str) -> str:
    """The name of a field, as it stands within a sentence."""
    words = name.replace("_", " ")
    return words if words[:2].isupper() else words[:1].lower() + words[1:]
