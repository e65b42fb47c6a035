"""Why a record is kept, in words for its owner. PURE."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a record is kept. The first one that applies, in this order, is the record's."""

    NO_ADDRESS = "no_address"
    LISTED_TWICE = "listed_twice"
    OTHER_COLLECTION = "other_collection"
    KEPT_BY_ADDRESS = "kept_by_address"
    UNKNOWN_EMBED = "unknown_embed"
    NOT_UNDERSTOOD = "not_understood"
    NOT_CHOSEN = "not_chosen"
    UNDATABLE = "undatable"
    TOO_NEW = "too_new"
    MARKS_OWN_POST = "marks_own_post"
    PINNED = "pinned"
    PIN_UNKNOWN = "pin_unknown"
    SELF_LIKED = "self_liked"
    TEXT = "text"
    DOMAIN = "domain"
    LINK_UNREADABLE = "link_unreadable"
    MANY_LIKES = "many_likes"
    LIKES_UNKNOWN = "likes_unknown"
    REPLIED_TO = "replied_to"
    REPLIES_UNKNOWN = "replies_unknown"
    GATE_OF_NO_DELETED_POST = "gate_of_no_deleted_post"

    @property
    def sentence(self) -> str:
        """The reason as a sentence for the owner of the repo."""
        return _SENTENCES[self]


R = Reason
_SENTENCES: Final = {
    R.NO_ADDRESS: "Its collection, record key or CID is not valid, so it cannot be named in a delete.",
    R.LISTED_TWICE: "It was listed more than once, so it may have changed while the repo was read.",
    R.OTHER_COLLECTION: "It is not a post, repost or like.",
    R.KEPT_BY_ADDRESS: "You listed its address.",
    R.UNKNOWN_EMBED: "It embeds something that is not known here.",
    R.NOT_UNDERSTOOD: "It does not have the form of its type.",
    R.NOT_CHOSEN: "You did not choose all of its types.",
    R.UNDATABLE: "Its creation date is missing, not a date, before the year 2000, or more than a day in the future.",
    R.TOO_NEW: "It is not older than the cut-off.",
    R.MARKS_OWN_POST: "It is your like of your own post, which protects that post.",
    R.PINNED: "It is your pinned post.",
    R.PIN_UNKNOWN: "Your profile does not say clearly which post is pinned, so it may be this one.",
    R.SELF_LIKED: "You liked it yourself.",
    R.TEXT: "It contains a text that you want to keep.",
    R.DOMAIN: "It links to a domain that you want to keep.",
    R.LINK_UNREADABLE: "It has a link that cannot be read, which may lead to a domain that you want to keep.",
    R.MANY_LIKES: "It has more likes than your limit.",
    R.LIKES_UNKNOWN: "Its number of likes is not known.",
    R.REPLIED_TO: "Others have replied to it.",
    R.REPLIES_UNKNOWN: "Its number of replies is not known.",
    R.GATE_OF_NO_DELETED_POST: "It belongs to a post that is kept, or to none.",
}
