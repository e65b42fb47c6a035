"""Rules, plans and sessions of jobs, records in batches, points, audit rows and refused accounts."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import indexer.index.models.do_not_index
import search.cleanup.models.job


class Migration(migrations.Migration):
    dependencies = [
        ("cleanup", "0002_plain_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="CleanupAudit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("job_id", models.CharField(db_index=True, max_length=13, verbose_name="clean-up")),
                ("did", models.CharField(max_length=2048, verbose_name="account")),
                ("action", models.CharField(max_length=40)),
                ("by", models.CharField(max_length=150)),
                ("address_hash", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "verbose_name": "audit row",
                "ordering": ("-at",),
            },
        ),
        migrations.CreateModel(
            name="RefusedAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "did",
                    models.CharField(
                        max_length=2048,
                        unique=True,
                        validators=[indexer.index.models.do_not_index.validate_did],
                        verbose_name="account",
                    ),
                ),
                ("note", models.CharField(blank=True, help_text="Why. Only operators see it.", max_length=500)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="since"),
                ),
                ("created_by", models.CharField(blank=True, editable=False, max_length=150, verbose_name="by")),
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
        migrations.RenameField("historicalrepocleanupjob", "collections", "types"),
        migrations.RenameField("repocleanupjob", "collections", "types"),
        migrations.AddField(
            model_name="cleanupbatch",
            name="items",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="cleanupbatch",
            name="outcome",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="cleanupbatch",
            name="failures",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="historicalrepocleanupjob",
            name="backup_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="historicalrepocleanupjob",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="confirmed"),
        ),
        migrations.AddField(
            model_name="historicalrepocleanupjob",
            name="handle",
            field=models.CharField(blank=True, max_length=253),
        ),
        migrations.AddField(
            model_name="historicalrepocleanupjob",
            name="kind",
            field=models.CharField(choices=[("delete", "clean-up"), ("undo", "undo")], default="delete", max_length=6),
        ),
        migrations.AddField(
            model_name="historicalrepocleanupjob",
            name="permitted",
            field=models.BooleanField(default=False, verbose_name="may delete"),
        ),
        migrations.AddField(
            model_name="historicalrepocleanupjob",
            name="records_kept",
            field=models.PositiveBigIntegerField(default=0, verbose_name="kept after all"),
        ),
        migrations.AlterField(
            "historicalrepocleanupjob", "types", models.JSONField(validators=[search.cleanup.models.job.validate_types])
        ),
        migrations.AddField(
            model_name="historicalrepocleanupjob",
            name="undoes",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="cleanup.repocleanupjob",
            ),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="backup",
            field=models.CharField(blank=True, editable=False, max_length=100),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="backup_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="commit",
            field=models.CharField(blank=True, editable=False, max_length=200),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="confirmed"),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="handle",
            field=models.CharField(blank=True, max_length=253),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="kind",
            field=models.CharField(choices=[("delete", "clean-up"), ("undo", "undo")], default="delete", max_length=6),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="permitted",
            field=models.BooleanField(default=False, verbose_name="may delete"),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="plan",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="plan_digest",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="records_kept",
            field=models.PositiveBigIntegerField(default=0, verbose_name="kept after all"),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="report",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="rev",
            field=models.CharField(blank=True, editable=False, max_length=13),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="rules",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="stage",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="swaps_refused",
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="token_hash",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AlterField(
            "repocleanupjob", "types", models.JSONField(validators=[search.cleanup.models.job.validate_types])
        ),
        migrations.AddField(
            model_name="repocleanupjob",
            name="undoes",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_by",
                to="cleanup.repocleanupjob",
            ),
        ),
        migrations.AlterField(
            model_name="cleanupbatch",
            name="began_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="CleanupSwitch",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("paused", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("changed_by", models.CharField(blank=True, max_length=150)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="cleanup_cleanupswitch_one")
                ],
            },
        ),
        migrations.CreateModel(
            name="PdsSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("did", models.CharField(max_length=2048)),
                ("pds", models.CharField(max_length=300)),
                ("sealed", models.BinaryField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("refreshed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "job",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="session",
                        to="cleanup.repocleanupjob",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PointsSent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("did", models.CharField(max_length=2048)),
                ("sent_at", models.DateTimeField()),
                ("points", models.PositiveIntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["did", "sent_at"], name="cleanup_pointssent_when")],
            },
        ),
    ]
