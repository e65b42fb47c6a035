"""Examples of answers, for /docs."""

from __future__ import annotations

from typing import Any, Final

POSTS: Final[dict[str, Any]] = {
    "cursor": "WzEsInNlYXJjaC50b3AiLCI0ZjE…",
    "posts": [
        {
            "uri": "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l",
            "cid": "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq",
            "author": {
                "did": "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
                "handle": "alice.example.com",
                "displayName": "Alice",
            },
            "text": "Cold brew season has begun.",
            "langs": ["en"],
            "createdAt": "2026-03-01T08:12:44.120Z",
            "likeCount": 41,
            "repostCount": 6,
            "replyCount": 3,
            "quoteCount": 1,
            "matches": [{"byteStart": 0, "byteEnd": 4}, {"byteStart": 5, "byteEnd": 9}],
        }
    ],
}
