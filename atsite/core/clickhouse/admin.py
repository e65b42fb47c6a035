"""The read-only admin of ClickHouse models; none of its pages is slow.

    @register(Like)
    class LikeAdmin(ReadOnlyAdmin):
        list_display = ("rkey", "did", "subject_uri")
        search_prefix_fields = ("rkey", "did")

A list is read in key order from the table's end: one page and one more row, without counting. A search finds the
beginning of a key, or a whole at-uri. The server stops slow queries, and the page says so. The URL of a row contains
its whole key, because Django's admin does not support composite keys.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import quote as percent_encode
from urllib.parse import unquote as percent_decode

import structlog
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import Error as DatabaseError
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.views import ChangeList

from atsite.core.admin_base import ViewOnly
from atsite.core.atproto.aturi import AtUri
from atsite.core.clickhouse.errors import BY_CODE, ClickHouseError, QueryTimedOut
from atsite.core.clickhouse.models import ReadModel, has_field, key_fields
from atsite.core.errors import InvalidSyntax

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model, QuerySet
    from django.db.models.expressions import Combinable
    from django.http import HttpRequest, HttpResponse

    AnyPaginator = Paginator[Any]
else:  # at run time Django's class takes no parameter
    AnyPaginator = Paginator

log = structlog.get_logger(__name__)

ROWS_PER_PAGE = 50
#: A page in key order needs few blocks. At the server's 65,409 rows a block the first page of 2 million rows read
#: 157,000 of them in 44 ms; with this, 34,000 in 9 ms.
ROWS_PER_BLOCK = 1024
#: When to try again after a 503: a ClickHouse that was restarted answers by then.
RETRY_SECONDS = "10"
#: Reading page n costs n pages; to find older rows, search for a key.
MAX_PAGES = 200
#: Above every text that begins with a prefix: the last code point, which no key contains.
LAST = "\U0010ffff"


def register(*models: type[ReadModel], site: admin.AdminSite = admin.site) -> Callable[[type[ReadOnlyAdmin]], type]:
    """Like admin.register, also for models with composite keys, which Django refuses."""

    def registered(admin_class: type[ReadOnlyAdmin]) -> type[ReadOnlyAdmin]:
        for model in models:
            if model._meta.is_composite_pk:
                site._registry[model] = admin_class(model, site)
            else:
                site.register(model, admin_class)
        return admin_class

    return registered


def address(row: Model) -> str:
    """The key of a row as text for its URL; `key_of` parses it."""
    return ",".join(percent_encode(field.value_to_string(row), safe="") for field in key_fields(type(row)))


def key_of(model: type[Model], text: str) -> dict[str, Any] | None:
    """The key fields' values that `address` wrote; None if `text` is not a key of `model`."""
    fields, parts = key_fields(model), text.split(",")
    if len(fields) != len(parts):
        return None
    try:
        return {field.name: field.to_python(percent_decode(part)) for field, part in zip(fields, parts, strict=True)}
    except ValidationError:
        return None


class OnePagePaginator(AnyPaginator):
    """Reads the page and one more row, which shows whether there is a next page. Counts nothing."""

    template_name = "clickhouse/pages.html"

    def __init__(self, rows: QuerySet[Any], per_page: int, *, asked: int) -> None:
        super().__init__(rows, per_page)
        self.asked = min(max(asked, 1), MAX_PAGES)

    @cached_property
    def fetched(self) -> list[Any]:
        """The rows of the page, and one more if there is a next page."""
        start = (self.asked - 1) * self.per_page
        return list(self.object_list[start : start + self.per_page + 1])

    @cached_property
    def count(self) -> int:
        """The number of rows up to the end of the page, plus one if there is a next page."""
        return (self.asked - 1) * self.per_page + len(self.fetched)


class KeyOrderedList(ChangeList):  # type: ignore[misc]
    """A change list in key order, from one query."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(self.model_admin.get_ordering(request))

    def get_results(self, request: HttpRequest) -> None:
        paginator = OnePagePaginator(self.queryset, self.list_per_page, asked=self.page_num)  # type: ignore[has-type]
        page: int = paginator.asked
        if page > 1 and not paginator.fetched:
            raise IncorrectLookupParameters  # past the end: Django redirects to the first page
        self.page_num = page
        self.result_count = paginator.count
        self.result_list = paginator.fetched[: self.list_per_page]
        self.paginator = paginator
        self.multi_page = page > 1 or len(paginator.fetched) > self.list_per_page
        self.newest_first = self.model_admin.newest_first
        self.newer_page = self._page(page - 1) if page > 1 else ""
        self.older_page = self._page(page + 1) if len(paginator.fetched) > self.list_per_page else ""
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = False
        self.full_result_count = None

    def _page(self, number: int) -> str:
        return str(self.get_query_string({PAGE_VAR: number}))

    def url_for_result(self, result: Model) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=(quote(address(result)),), current_app=self.model_admin.admin_site.name)


class ReadOnlyAdmin(ViewOnly):
    """The base class of the admin of every ReadModel; see the module."""

    #: Key columns that a search uses: the first by its beginning, `did` by a whole did.
    search_prefix_fields: ClassVar[tuple[str, ...]] = ()
    #: Whether the list is in time order, so that pages are called older and newer.
    newest_first: ClassVar[bool] = False
    #: Seconds until the server stops a list's or a row's query.
    max_execution_time: ClassVar[float] = 5

    actions: ClassVar[tuple[str, ...] | None] = None
    list_per_page = ROWS_PER_PAGE
    list_max_show_all = 0
    show_full_result_count = False
    sortable_by = ()
    save_as = False
    view_on_site = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeyOrderedList

    def get_ordering(self, request: HttpRequest) -> list[str | Combinable]:
        """Descending in the whole key: the server reads the table from its end and stops early."""
        return list(self.ordering or (f"-{field.name}" for field in key_fields(self.model)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        settings = {"max_execution_time": self.max_execution_time, "max_block_size": ROWS_PER_BLOCK}
        return super().get_queryset(request).settings(**settings)  # type: ignore[no-any-return]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.search_prefix_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(**self._lookup(search_term.strip())), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        key = key_of(self.model, object_id)
        return self.get_queryset(request).filter(**key).first() if key else None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self._in_time(request, lambda: super(ReadOnlyAdmin, self).changelist_view(request, extra_context))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        def view() -> HttpResponse:
            context = {**(extra_context or {}), "show_history": False}  # read-only: there are no changes
            return super(ReadOnlyAdmin, self).changeform_view(  # type: ignore[no-any-return]
                request, object_id, form_url, context
            )

        return self._in_time(request, view)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.changeform_view(request, object_id, extra_context=extra_context)  # read-only: there are no changes

    def _lookup(self, term: str) -> dict[str, Any]:
        """The filter for a search term: an at-uri, a did, or the beginning of the first field."""
        fields = self.search_prefix_fields
        if not term or not fields:
            return {}
        if term.startswith("at://"):
            return self._uri_lookup(term)
        if term.startswith("did:") and "did" in fields and fields[0] != "did":
            return {"did": term}  # an index on did only finds whole dids
        return {f"{fields[0]}__gte": term, f"{fields[0]}__lt": term + LAST}

    def _uri_lookup(self, term: str) -> dict[str, Any]:
        try:
            uri = AtUri.parse(term)
        except InvalidSyntax:
            return {"pk__in": []}
        parts = {"did": uri.did, "rkey": uri.rkey}
        return {name: value for name, value in parts.items() if has_field(self.model, name)} or {"pk__in": []}

    def _in_time(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        """The view's page, or a page that says that ClickHouse did not answer (503)."""
        try:
            response = view()
            return response.render() if isinstance(response, TemplateResponse) else response
        except (DatabaseError, ClickHouseError) as error:
            code = _server_code(error)
            log.warning("admin.read_failed", model=self.model.__name__, code=code)
            timed_out = BY_CODE.get(code) is QueryTimedOut
            context = {
                **self.admin_site.each_context(request),
                "title": "Too slow to answer" if timed_out else "ClickHouse did not answer",
                "opts": self.model._meta,
                "timed_out": timed_out,
                "seconds": self.max_execution_time,
                "search_fields": ", ".join(self.search_prefix_fields),
            }
            return TemplateResponse(
                request,
                "clickhouse/no_answer.html",
                context,
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                headers={"Retry-After": RETRY_SECONDS},
            ).render()


def _server_code(error: BaseException | None) -> int:
    """ClickHouse's error code, from the causes of Django's error; 0 if there is none."""
    while error is not None:
        code = getattr(error, "code", None)
        if isinstance(code, int):
            return code
        error = error.__cause__ or error.__context__
    return 0


def table(model: type[ReadModel], *columns: Any, **options: Any) -> None:
    """Register the admin of a table that needs no code: `columns` of its list, and other attributes of the class."""
    admin_class = type(f"{model.__name__}Admin", (ReadOnlyAdmin,), {"list_display": columns, **options})
    register(model)(cast("type[ReadOnlyAdmin]", admin_class))
