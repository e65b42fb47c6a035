"""Clean-up jobs in tables of their own: they were those of the app `search`, whose next migration drops them.

Nothing has made jobs up to here, so none are carried over: rows stop this migration. The copy in ClickHouse stays as
it is; only its model moves. Content types move, too, so that what groups and people were granted holds on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import clickhouse_backend.models
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import search.cleanup.models
from atsite.core.errors import AtsiteError
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLES = ("RepoCleanupJob", "HistoricalRepoCleanupJob", "CleanupBatch")
CONTENT_TYPES = ("repocleanupjob", "historicalrepocleanupjob", "cleanupbatch", "publishedcleanupjob")


class RowsInTheWay(AtsiteError):
    """Tables that are about to be dropped have rows."""


def refuse_rows_of(app: str, apps: Apps) -> None:
    """Raises RowsInTheWay where a table of clean-ups is not empty."""
    models_ = [apps.get_model(app, name) for name in TABLES]
    counted = {model._meta.db_table: model._base_manager.using(DEFAULT).count() for model in models_}
    if full := [f"{table} has {rows}" for table, rows in counted.items() if rows]:
        raise RowsInTheWay(
            f"Clean-up jobs get new tables, and no rows are carried over: {', '.join(full)}. No released version makes"
            " such rows. Copy what you need of them, delete them, and run migrate again. Nothing was changed."
        )


def move_content_types(apps: Apps, before: str, after: str) -> None:
    """Rename them, with their permissions; where the new ones are there already, they stay and the old ones go."""
    types = apps.get_model("contenttypes", "ContentType").objects.using(DEFAULT)
    for name in CONTENT_TYPES:
        old = types.filter(app_label=before, model=name)
        if types.filter(app_label=after, model=name).exists():
            old.delete()
        else:
            old.update(app_label=after)


def forward(apps: Apps, schema_editor: BaseDatabaseSchemaEditor | None) -> None:
    refuse_rows_of("search", apps)
    move_content_types(apps, "search", "cleanup")


def backward(apps: Apps, schema_editor: BaseDatabaseSchemaEditor | None) -> None:
    refuse_rows_of("cleanup", apps)
    move_content_types(apps, "cleanup", "search")


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("search", "0003_cleanup_jobs"),
        ("contenttypes", "0002_remove_content_type_name"),
        # Permissions and entries of the log point at content types, and follow them.
        ("auth", "0012_alter_user_first_name_max_length"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.RunPython(forward, migrations.RunPython.noop, hints={"database": DEFAULT}),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="PublishedCleanupJob",
                    fields=[
                        ("job_id", clickhouse_backend.models.StringField(primary_key=True, serialize=False)),
                        ("did", clickhouse_backend.models.StringField()),
                        ("state", clickhouse_backend.models.StringField(low_cardinality=True)),
                        (
                            "collections",
                            clickhouse_backend.models.ArrayField(
                                base_field=clickhouse_backend.models.StringField(low_cardinality=True)
                            ),
                        ),
                        ("requested_by", clickhouse_backend.models.StringField()),
                        ("records_planned", clickhouse_backend.models.UInt64Field()),
                        ("records_deleted", clickhouse_backend.models.UInt64Field()),
                        ("created_at", clickhouse_backend.models.DateTime64Field()),
                        ("finished_at", clickhouse_backend.models.DateTime64Field(null=True)),
                        ("time_us", clickhouse_backend.models.UInt64Field()),
                        ("deleted", clickhouse_backend.models.UInt8Field(default=0)),
                    ],
                    options={
                        "db_table": "repo_cleanup_jobs",
                        "managed": False,
                    },
                    managers=[
                        ("objects", django.db.models.manager.Manager()),
                        ("_overwrite_base_manager", django.db.models.manager.Manager()),
                    ],
                ),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalRepoCleanupJob",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("time_us", models.BigIntegerField(default=0, editable=False, verbose_name="version")),
                ("deleted", models.BooleanField(default=False, editable=False)),
                ("reason", models.TextField(blank=True)),
                (
                    "next_at",
                    models.DateTimeField(
                        blank=True, default=django.utils.timezone.now, null=True, verbose_name="goes on"
                    ),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished")),
                (
                    "job_id",
                    models.CharField(
                        db_index=True, default=search.cleanup.models.new_job_id, editable=False, max_length=13
                    ),
                ),
                (
                    "did",
                    models.CharField(
                        max_length=2048, validators=[search.cleanup.models.validate_did], verbose_name="account"
                    ),
                ),
                (
                    "collections",
                    models.JSONField(validators=[search.cleanup.models.validate_types], verbose_name="types"),
                ),
                (
                    "cut_off",
                    models.DateTimeField(help_text="Records written before it are deleted.", verbose_name="older than"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planning", "planning"),
                            ("planned", "planned, waits for a yes"),
                            ("running", "running"),
                            ("waiting", "waiting"),
                            ("needs_sign_in", "needs a new sign-in"),
                            ("completed", "completed"),
                            ("cancelled", "cancelled"),
                            ("failed", "failed"),
                        ],
                        default="planning",
                        max_length=16,
                    ),
                ),
                ("requested_by", models.CharField(blank=True, max_length=150)),
                ("records_planned", models.PositiveBigIntegerField(default=0, verbose_name="planned")),
                ("records_deleted", models.PositiveBigIntegerField(default=0, verbose_name="deleted")),
                ("records_gone", models.PositiveBigIntegerField(default=0, verbose_name="gone before")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("planned_at", models.DateTimeField(blank=True, null=True, verbose_name="planned at")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical clean-up",
                "verbose_name_plural": "historical clean-ups",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="RepoCleanupJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("time_us", models.BigIntegerField(default=0, editable=False, verbose_name="version")),
                ("published_us", models.BigIntegerField(default=0, editable=False, verbose_name="published version")),
                ("deleted", models.BooleanField(default=False, editable=False)),
                ("reason", models.TextField(blank=True)),
                (
                    "next_at",
                    models.DateTimeField(
                        blank=True, default=django.utils.timezone.now, null=True, verbose_name="goes on"
                    ),
                ),
                ("leased_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("fence", models.PositiveBigIntegerField(default=0, editable=False)),
                ("tries", models.PositiveIntegerField(default=0, editable=False)),
                ("cancel_asked_by", models.CharField(blank=True, editable=False, max_length=150)),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished")),
                (
                    "job_id",
                    models.CharField(
                        default=search.cleanup.models.new_job_id, editable=False, max_length=13, unique=True
                    ),
                ),
                (
                    "did",
                    models.CharField(
                        max_length=2048, validators=[search.cleanup.models.validate_did], verbose_name="account"
                    ),
                ),
                (
                    "collections",
                    models.JSONField(validators=[search.cleanup.models.validate_types], verbose_name="types"),
                ),
                (
                    "cut_off",
                    models.DateTimeField(help_text="Records written before it are deleted.", verbose_name="older than"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planning", "planning"),
                            ("planned", "planned, waits for a yes"),
                            ("running", "running"),
                            ("waiting", "waiting"),
                            ("needs_sign_in", "needs a new sign-in"),
                            ("completed", "completed"),
                            ("cancelled", "cancelled"),
                            ("failed", "failed"),
                        ],
                        default="planning",
                        max_length=16,
                    ),
                ),
                ("requested_by", models.CharField(blank=True, max_length=150)),
                ("records_planned", models.PositiveBigIntegerField(default=0, verbose_name="planned")),
                ("records_deleted", models.PositiveBigIntegerField(default=0, verbose_name="deleted")),
                ("records_gone", models.PositiveBigIntegerField(default=0, verbose_name="gone before")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("planned_at", models.DateTimeField(blank=True, null=True, verbose_name="planned at")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started")),
            ],
            options={
                "verbose_name": "clean-up",
                "ordering": ("-job_id",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("published_us__lt", models.F("time_us"))),
                        fields=["time_us"],
                        name="cleanup_repocleanupjob_due",
                    ),
                    models.Index(fields=["next_at"], name="cleanup_repocleanupjob_next"),
                    models.Index(fields=["leased_until"], name="cleanup_repocleanupjob_leased"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("deleted", False),
                            ("state__in", ["needs_sign_in", "planned", "planning", "running", "waiting"]),
                        ),
                        fields=("did",),
                        name="cleanup_repocleanupjob_one_active",
                        violation_error_message="This account has a clean-up that has not ended.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CleanupBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("records", models.PositiveIntegerField(verbose_name="in the batch")),
                ("records_deleted", models.PositiveIntegerField(default=0, verbose_name="deleted")),
                ("records_gone", models.PositiveIntegerField(default=0, verbose_name="gone before")),
                ("error", models.TextField(blank=True)),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="cleanup.repocleanupjob"
                    ),
                ),
            ],
            options={
                "verbose_name": "batch",
                "verbose_name_plural": "batches",
                "ordering": ("job", "-number"),
                "constraints": [models.UniqueConstraint(fields=("job", "number"), name="cleanup_cleanupbatch_once")],
            },
        ),
        # Last, so that it comes first on the way back.
        migrations.RunPython(migrations.RunPython.noop, backward, hints={"database": DEFAULT}),
    ]
