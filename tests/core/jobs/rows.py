"""A kind of job that only tests know, with a table of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.apps.registry import Apps
from django.db import models
from django.utils import timezone

from atsite.core.jobs.graph import Graph
from atsite.core.jobs.models import Job

MINUTE = timedelta(minutes=1)


class Errand(Job):
    """Goes to places, one after the other."""

    class State(models.TextChoices):
        ASKED = "asked"
        GOING = "going"
        RESTING = "resting"
        DONE = "done"
        DROPPED = "dropped"
        FAILED = "failed"

    graph = Graph(
        initial=State.ASKED,
        moves={
            State.ASKED: frozenset({State.GOING, State.DROPPED, State.FAILED}),
            State.GOING: frozenset({State.RESTING, State.DONE, State.DROPPED, State.FAILED}),
            State.RESTING: frozenset({State.GOING, State.DROPPED, State.FAILED}),
            State.FAILED: frozenset({State.RESTING}),
            State.DONE: frozenset(),
            State.DROPPED: frozenset(),
        },
        claims={State.ASKED: State.GOING, State.GOING: State.GOING, State.RESTING: State.GOING},
        ended=frozenset({State.DONE, State.DROPPED, State.FAILED}),
        failed=State.FAILED,
        waiting=State.RESTING,
        cancelled=State.DROPPED,
    )
    progress_fields = ("places",)
    dates = {State.GOING: "began_at"}
    max_tries = 3

    state = models.CharField(max_length=16, choices=State.choices, default=State.ASKED)
    places = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(null=True)
    objects: ClassVar[models.Manager[Errand]] = models.Manager()

    class Meta:
        app_label = "channels"  # an installed app without migrations
        apps = Apps()

    def __str__(self) -> str:
        return f"errand {self.pk}"


State = Errand.State


def errand(**fields: Any) -> Errand:
    """A row that is due since a minute ago."""
    return Errand.objects.create(**{"next_at": timezone.now() - MINUTE, **fields})


def stored(row: Errand) -> Errand:
    """The row as it is in the database."""
    return Errand.objects.get(pk=row.pk)


def lose(row: Errand) -> None:
    """Let the lease of a row's worker have ended."""
    Errand.objects.filter(pk=row.pk).update(leased_until=timezone.now() - MINUTE)
