"""Examples of calls and answers, for /docs."""

from __future__ import annotations

from typing import Any, Final

ID: Final = "3mezc5ufk2s2x"
DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
HEADERS: Final = {"X-Cleanup-Token": "…"}
_DID: Final = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
_PASSWORD: Final = "xxxx-xxxx-xxxx-xxxx"  # noqa: S105 - what one looks like
SIGN_IN: Final = {"app_password": _PASSWORD}
BODY: Final = {
    "identifier": "carol.example",
    "app_password": _PASSWORD,
    "cleanup_types": ["post", "like"],
    "delete_until_days_ago": 365,
    "actually_delete_stuff": True,
    "protections": {"keep_above_likes": 100},
}
_PLAN: Final = {
    "deletes": 1204,
    "gates": 3,
    "records": 5310,
    "going": [{"type": "post", "count": 201, "examples": [f"at://{_DID}/app.bsky.feed.post/3l6oveex3ii2l"]}],
    "kept": [
        {
            "reason": "too_new",
            "sentence": "It is not older than the cut-off.",
            "count": 4106,
            "examples": [f"at://{_DID}/app.bsky.feed.post/3mdy2c5ufk22x"],
        }
    ],
    "oldest": "2023-05-02T08:10:00Z",
    "newest": "2025-02-28T21:44:12Z",
    "uncounted": 0,
    "hours": 1,
}
_RULES: Final = {
    "types": ["like", "post"],
    "delete_until_days_ago": 365,
    "delete_before": None,
    "keep_pinned": True,
    "keep_self_liked": True,
    "keep_above_likes": 100,
    "keep_replied_to": False,
    "keep_texts": [],
    "keep_domains": [],
    "keep_uris": [],
    "media_hosts": ["giphy.com", "klipy.com", "tenor.com"],
}
JOB: Final[dict[str, Any]] = {
    "job_id": ID,
    "kind": "delete",
    "undoes": None,
    "did": _DID,
    "handle": "carol.example",
    "state": "planned",
    "status": "planned, waiting for confirmation",
    "reason": "",
    "stage": "",
    "may_delete": True,
    "rules": _RULES,
    "cut_off": "2025-03-01T12:00:00Z",
    "plan": _PLAN,
    "plan_digest": DIGEST,
    "records": {"planned": 1204, "done": 0, "gone": 0, "kept": 0, "remaining": 1204},
    "percent": 0,
    "result": "",
    "created_at": "2026-03-01T12:00:00Z",
    "planned_at": "2026-03-01T12:00:09Z",
    "confirmed_at": None,
    "started_at": None,
    "next_at": None,
    "finished_at": None,
    "backup_until": None,
    "possible": {
        "confirm": True,
        "cancel": True,
        "sign_in": True,
        "undo": False,
        "download_backup": False,
        "delete_backup": False,
    },
}
STARTED: Final = {
    **JOB,
    "state": "planning",
    "status": "planning",
    "plan": None,
    "plan_digest": "",
    "records": {"planned": 0, "done": 0, "gone": 0, "kept": 0, "remaining": 0},
    "planned_at": None,
    "next_at": "2026-03-01T12:00:00Z",
    "possible": {**JOB["possible"], "confirm": False, "sign_in": False},
    "token": "…",
}
UNDO: Final = {**STARTED, "job_id": "3mf2k7xq4ca2x", "kind": "undo", "undoes": ID}
SUMS: Final = {
    "cleanups": 31,
    "active": 2,
    "completed": 24,
    "cancelled": 4,
    "failed": 1,
    "undone": 1,
    "records_deleted": 410233,
    "records_created_again": 1204,
}
