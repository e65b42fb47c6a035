"""Dead letters in the admin: the event, why it could not be indexed, and actions to retry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from kombu.exceptions import OperationalError

from atsite.core.admin_base import OwnPages
from atsite.core.clickhouse.admin import KeyOrderedList, ReadOnlyAdmin, register
from atsite.core.errors import AtsiteError
from atsite.core.roles import Right, demand, may
from indexer.admin.columns import foreign, moment
from indexer.admin.payloads import readable
from indexer.index import models
from indexer.index.events import DeadReason
from indexer.stream import dead_letter_retry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet

    from indexer.index.models import DeadLetter
    from indexer.stream.dead_letter_retry import Outcome

#: Seconds to wait for ClickHouse while a user waits for the page.
CLICKHOUSE_WAIT_SECONDS: Final = 5.0


class LetterList(KeyOrderedList):
    """A list with checkboxes."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.show_admin_actions = True


@register(models.DeadLetter)
class DeadLetterAdmin(OwnPages, ReadOnlyAdmin):
    list_display = ("id", "reason", "excerpt", "host", "happened", "stored_at")
    list_filter = ("reason",)
    search_prefix_fields = ("id",)
    search_help_text = "Enter the beginning of an id."
    actions = ("retry",)
    change_form_outer_after_template = "indexer/letter.html"
    list_before_template = "indexer/letters.html"
    fields = ("reason", "why", "host", "happened", "stored_at", "content", "id")
    own_pages: ClassVar[dict[str, str]] = {"retry_many": "retry/", "retry": "<path:object_id>/retry/"}
    url_rights: ClassVar[dict[str, Right]] = {
        "indexer_deadletter_retry": Right.RETRY_DEAD_LETTERS,
        "indexer_deadletter_retry_many": Right.RETRY_DEAD_LETTERS,
    }

    @admin.display(description="detail")
    def excerpt(self, letter: DeadLetter) -> str:
        """The beginning of the decoder's message."""
        return foreign(readable(letter.detail)[:160])

    @admin.display(description="detail")
    def why(self, letter: DeadLetter) -> str:
        """The decoder's message."""
        return foreign(readable(letter.detail))

    @admin.display(description="seen in the stream (UTC)")
    def happened(self, letter: DeadLetter) -> str:
        """When the Jetstream host saw it."""
        return moment(letter.time_us)

    @admin.display(description="payload")
    def content(self, letter: DeadLetter) -> str:
        """The event as it arrived, with JSON indented."""
        return format_html('<pre class="at-mono at-payload" tabindex="0">{}</pre>', readable(letter.payload))

    @admin.action(description="Try again", permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[DeadLetter]) -> None:
        """Decode the selected letters again."""
        self._retry(request, list(chosen.values_list("id", flat=True)))

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Right.RETRY_DEAD_LETTERS)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LetterList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {"may_retry": self.has_retry_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {"letter_id": object_id, "may_retry": self.has_retry_permission(request)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})  # type: ignore[no-any-return]

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Retry one letter; POST only."""
        demand(request, Right.RETRY_DEAD_LETTERS)
        if request.method == "POST":
            self._retry(request, [object_id])
        return HttpResponseRedirect(reverse("admin:indexer_deadletter_changelist"))

    def retry_many_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a reason, then let the worker retry all letters with it."""
        demand(request, Right.RETRY_DEAD_LETTERS)
        reason = request.POST.get("reason", "")
        if request.method != "POST" or reason not in ("", *map(str, DeadReason)):
            reasons = [str(reason) for reason in DeadReason]
            return self.own_page(request, "indexer/retry_letters.html", "Try dead letters again", reasons=reasons)
        self._send(request, reason)
        return HttpResponseRedirect(reverse("admin:indexer_deadletter_changelist"))

    def _retry(self, request: HttpRequest, ids: Sequence[str]) -> None:
        try:
            outcome = dead_letter_retry.retry(ids=ids, wait_seconds=CLICKHOUSE_WAIT_SECONDS)
        except AtsiteError as error:
            messages.error(request, f"Nothing was retried: {error}")
            return
        level = messages.SUCCESS if not outcome.still_dead else messages.WARNING
        messages.add_message(request, level, in_words(outcome))

    def _send(self, request: HttpRequest, reason: str) -> None:
        from indexer.tasks import retry_dead_letters  # avoids the imports of tasks in every admin page

        try:
            retry_dead_letters.delay(reason=reason)
        except OperationalError:
            messages.error(request, "The worker cannot be reached: Redis does not answer.")
        else:
            messages.success(request, "The worker retries them. Letters that can be indexed leave this list.")


def in_words(outcome: Outcome) -> str:
    """The result of a retry, as a sentence."""
    parts = [f"{outcome.indexed} indexed", f"{outcome.left_out} skipped for good"]
    parts += [f"{number} still dead: {reason}" for reason, number in sorted(outcome.still_dead.items())]
    return ", ".join(parts) + "."
