"""Labels, members and blocks in the admin."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from apikeys import keys
from apikeys.models import add_key
from atsite.core.copies import compare_copies
from feeds.models import FeedDefinition
from indexer.index.models import Backfill
from labels import bulk_changes, membership
from labels.admin import actor_page
from labels.admin.bulk_changes import result_sentence
from labels.admin.members import ActorLabelAdmin
from labels.change_author import Via
from labels.models import ActorLabel, Block, BulkChange, Label
from labels.queries import members
from tests import builders as b
from tests.away import clickhouse_away, redis_away
from tests.labels.people import ALL, MIRA, NOBODY, NOEL, OTTO
from tests.steps import steps

if TYPE_CHECKING:
    from django.test import Client

    from tests.core.identity.network import Network

MEMBERS = "/admin/labels/actorlabel/"
HOSTILE = "<script>alert(1)</script>\u202e" + "Z\u0489" * 9 + "x" * 3_000


@pytest.fixture
def browser(label: str, network: Network, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def text_of(response: Any) -> str:
    return str(response.content.decode())


def form(label: str, did: str, note: str = "") -> dict[str, Any]:
    return {"label": Label.objects.get(name=label).pk, "did": did, "note": note}


def add(browser: Client, label: str, who: str, note: str = "") -> Any:
    page = browser.get(f"{MEMBERS}add/").content.decode()
    choice = re.search(rf'<option value="([^"]+)"[^>]*>\s*{label}\s*</option>', page)
    assert choice is not None
    return browser.post(f"{MEMBERS}add/", {"label": choice[1], "did": who, "note": note}, follow=True)


@pytest.mark.parametrize(
    "text",
    [
        MIRA.handle,
        f"@{MIRA.handle}",
        MIRA.did,
        f"https://bsky.app/profile/{MIRA.handle}",
        f"\u202a{MIRA.handle}\u202c",
        f"bsky.app/profile/{MIRA.did}?x#y",
    ],
)
def test_a_member_is_added_by_handle_did_or_the_address_of_a_profile(browser: Client, label: str, text: str) -> None:
    response = add(browser, label, text, "founder")
    assert response.redirect_chain == [(MEMBERS, 302)]
    (row,) = ActorLabel.objects.all()
    assert (row.did, row.created_by, row.note) == (MIRA.did, "admin", "founder")
    assert (row.changed_by, row.changed_via) == ("admin", "admin")
    assert membership.has_label(MIRA.did, label)


def test_a_member_whose_handle_is_not_known_is_called_by_the_did(browser: Client, label: str, network: Network) -> None:
    network.answers[f"/{OTTO.did}"] = {"id": OTTO.did, "alsoKnownAs": []}
    shown = html.unescape(text_of(add(browser, label, OTTO.did)))
    assert (f"{OTTO.did} as {label}" in shown, f"@ as {label}" in shown) == (True, False)


def test_a_member_who_could_not_be_checked_is_added_and_that_is_said(
    browser: Client, label: str, network: Network
) -> None:
    network.answers[f"/{OTTO.did}"] = 503
    said = html.unescape(text_of(add(browser, label, OTTO.did)))
    assert f"Whether there is an account {OTTO.did} could not be checked now. It was saved unchecked." in said
    assert membership.has_label(OTTO.did, label)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("noone.example.com", "No account has the handle noone.example.com. Check the spelling, or enter the did."),
        ("mira", "“mira” is not a handle, a did or a profile address"),
        ("Handle.invalid", "handle.invalid names no account"),
        (NOBODY, f"There is no account with the did {NOBODY}."),
        ("did:plc:short", "did:plc:short is not a whole did"),
    ],
)
def test_who_cannot_be_found_is_not_added_and_the_form_says_why(
    browser: Client, label: str, text: str, sentence: str
) -> None:
    response = add(browser, label, text)
    assert (response.status_code, response.redirect_chain) == (200, [])
    assert sentence in text_of(response)
    assert not ActorLabel.every.exists()


def test_a_member_who_is_there_already_is_told(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    page = text_of(add(browser, label, MIRA.did))
    assert f"@{MIRA.handle} already has the label {label}." in page
    assert "already exists" not in page


def test_whatever_is_said_of_a_member_names_the_handle(browser: Client, label: str) -> None:
    added = text_of(add(browser, label, MIRA.did))
    row = ActorLabel.objects.get()
    assert f'<a href="{MEMBERS}{row.pk}/change/">@{MIRA.handle} as {label}</a>” was added successfully' in added
    b.store(b.identity(MIRA.did, MIRA.handle, at=b.ago(days=1)))
    asked = text_of(browser.get(f"{MEMBERS}{row.pk}/delete/"))
    assert f'Are you sure you want to delete the member "@{MIRA.handle} as {label}"' in asked
    gone = text_of(browser.post(f"{MEMBERS}{row.pk}/delete/", {"post": "yes"}, follow=True))
    assert f"The member “@{MIRA.handle} as {label}” was deleted successfully" in gone
    removed = ActorLabel.every.get()
    restored = browser.post(f"{MEMBERS}{row.pk}/restore/", {"version": str(removed.time_us)}, follow=True)
    assert f"@{MIRA.handle} has the label {label} again." in text_of(restored)
    assert {str(entry) for entry in LogEntry.objects.values_list("object_repr", flat=True)} == {
        f"@{MIRA.handle} as {label}", f"{MIRA.did} as {label}",
    }  # fmt: skip


def test_without_clickhouse_a_member_is_called_by_the_did(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    with clickhouse_away():
        asked = browser.get(f"{MEMBERS}{ActorLabel.objects.get().pk}/delete/")
    assert (asked.status_code, f"{MIRA.did} as {label}" in text_of(asked)) == (200, True)


def test_what_is_no_did_has_no_page(browser: Client) -> None:
    assert browser.get(f"{MEMBERS}actor/not-a-did/").status_code == 404


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_the_page_of_an_actor_leads_to_the_form_of_another_label_and_to_what_is_indexed(
    browser: Client, label: str
) -> None:
    b.store(b.identity(MIRA.did, MIRA.handle, at=b.ago(days=1)))
    page = text_of(browser.get(f"{MEMBERS}actor/{MIRA.did}/"))
    assert "Fetch the last 30 days" not in page  # for who never had a label nothing is fetched
    (add_url,) = re.findall(rf'href="({MEMBERS}add/[^"]+)"', page)
    assert f'value="{MIRA.did}"' in text_of(browser.get(add_url))
    (indexed,) = re.findall(r'href="(/admin/indexer/actor/[^"]+/change/)"', page)
    assert f'href="{MEMBERS}actor/{MIRA.did}/"' in text_of(browser.get(indexed))


def test_who_was_added_by_a_key_is_signed_with_what_the_key_is_called(browser: Client, label: str) -> None:
    key = keys.mint()
    add_key(key, note="door of the hall", scopes=["labels"])
    membership.assign(label, MIRA.did, by=key.id, via=Via.API_KEY)
    row = ActorLabel.objects.get()
    for page in ("", f"{row.pk}/change/", f"{row.pk}/history/", f"actor/{MIRA.did}/"):
        shown = text_of(browser.get(f"{MEMBERS}{page}"))
        assert ("key door of the hall" in shown, key.id in shown) == (True, False), page


def test_only_a_form_that_adds_a_label_asks_for_a_note(browser: Client, label: str) -> None:
    pages = [text_of(browser.get(f"{MEMBERS}{page}/")) for page in ("add-many", "take-off-many")]
    assert ['name="note"' in page for page in pages] == [True, False]


def test_a_history_that_is_longer_than_its_page_says_so(
    browser: Client, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    membership.assign(label, MIRA.did, by="admin")
    monkeypatch.setattr(actor_page, "HISTORY_ROWS", 1)
    page = f"{MEMBERS}actor/{MIRA.did}/"
    before = browser.get(page).context
    membership.remove(label, MIRA.did, by="admin")
    after = browser.get(page).context
    assert [(len(context["changes"]), context["more"]) for context in (before, after)] == [(1, False), (1, True)]


def test_a_history_without_reasons_says_nothing_of_them(browser: Client, label: str) -> None:
    pk = Label.objects.get(name=label).pk
    browser.post(f"/admin/labels/label/{pk}/change/", {"meaning": "m"})
    shown = text_of(browser.get(f"/admin/labels/label/{pk}/history/"))
    table = shown.partition('id="change-history"')[2].partition("</table>")[0]
    assert "None" not in table
    assert ("Meaning:" in table, "→ <bdi>m</bdi>" in table) == (True, True)


def test_a_removal_is_undone_on_the_page_of_the_actor_which_tells_who_did_what(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="k7", via=Via.API_KEY, note="choir")
    row = ActorLabel.objects.get()
    response = browser.post(f"{MEMBERS}{row.pk}/delete/", {"post": "yes"}, follow=True)
    page = f"{MEMBERS}actor/{MIRA.did}/"
    assert f'You can undo this on <a href="{page}">the page of the actor</a>.' in text_of(response)
    assert (membership.has_label(MIRA.did, label), members(label)) == (False, [])

    shown = text_of(browser.get(page))
    version = re.search(r'name="version" value="(\d+)"', shown)
    assert version is not None
    response = browser.post(f"{MEMBERS}{row.pk}/restore/", {"version": version[1]}, follow=True)
    assert f"{MIRA.did} has the label {label} again." in text_of(response)
    assert membership.has_label(MIRA.did, label)
    assert ActorLabel.objects.get().note == "choir"
    cells = re.findall(r'data-label="(What|Who|From where)">([^<]*)<', text_of(response))
    assert [value for _, value in cells] == [
        "added again", "admin", "undo",
        "removed", "admin", "admin page",
        "added", "k7", "API key",
    ]  # fmt: skip


def test_who_was_taken_off_is_added_again_by_the_form(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="other")
    membership.remove(label, MIRA.did, by="other")
    assert MIRA.did not in text_of(browser.get(MEMBERS))
    add(browser, label, MIRA.handle, "back")
    (row,) = ActorLabel.every.all()
    assert (row.deleted, row.note, row.created_by) == (False, "back", "admin")
    history = text_of(browser.get(f"{MEMBERS}{row.pk}/history/"))
    assert re.findall(r'data-label="What">\s*(\w+)', history) == ["Changed", "Deleted", "Created"]
    assert membership.has_label(MIRA.did, label)


def test_undo_of_what_somebody_else_changed_meanwhile_changes_nothing(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    row = ActorLabel.objects.get()
    membership.remove(label, MIRA.did, by="admin")
    seen = ActorLabel.every.get().time_us
    membership.assign(label, MIRA.did, by="other")
    membership.remove(label, MIRA.did, by="other")
    response = browser.post(f"{MEMBERS}{row.pk}/restore/", {"version": str(seen)}, follow=True)
    assert "Another person changed this label in the meantime" in text_of(response)
    assert not membership.has_label(MIRA.did, label)


def test_the_list_shows_names_from_one_question_each(browser: Client, label: str) -> None:
    for person in ALL:
        membership.assign(label, person.did, by="admin")
        b.store(b.identity(person.did, person.handle, at=b.ago(days=1)))
    b.store(b.profile(MIRA.did, at=b.ago(days=1), name="Mira of the lake"))
    browser.get(MEMBERS)
    with CaptureQueriesContext(connection) as of_three:
        page = text_of(browser.get(MEMBERS))
    assert [f"@{person.handle}" in page for person in ALL] == [True] * 3
    assert "Mira of the lake" in page
    assert page.count("queued") == 3
    membership.remove(label, MIRA.did, by="admin")
    membership.remove(label, NOEL.did, by="admin")
    with CaptureQueriesContext(connection) as of_one:
        browser.get(MEMBERS)
    assert len(of_three) == len(of_one)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("mir", [MIRA]), ("@Mira.ex", [MIRA]), ("example.com", []), (NOEL.did, [NOEL]), (NOEL.did[:14], [NOEL]),
        ("mpls", [MIRA, NOEL, OTTO]), ("nothing", []), ("\u202amir\u202c", [MIRA]),
        (f"bsky.app/profile/{NOEL.handle}/", [NOEL]), (f"at://{NOEL.did}", [NOEL]),
    ],
)  # fmt: skip
def test_members_are_found_by_the_beginning_of_a_handle_a_did_or_a_label(
    browser: Client, label: str, search: str, found: list[Any]
) -> None:
    for person in ALL:
        membership.assign(label, person.did, by="admin")
        b.store(b.identity(person.did, person.handle, at=b.ago(days=1)))
    page = text_of(browser.get(MEMBERS, {"q": search}))
    assert [person for person in ALL if person.did in page] == found


def test_without_clickhouse_the_list_is_there_without_names(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    with clickhouse_away():
        page = text_of(browser.get(MEMBERS, {"q": MIRA.did}))
    assert MIRA.did in page
    assert "names are not shown" in page
    assert "only dids and labels were searched, not handles" in page


def test_names_of_strangers_are_text_and_nothing_else(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="admin", note=HOSTILE)
    b.store(b.identity(MIRA.did, "<b>.test", at=b.ago(days=1)), b.profile(MIRA.did, at=b.ago(days=1), name=HOSTILE))
    for address in (MEMBERS, f"{MEMBERS}actor/{MIRA.did}/"):
        page = text_of(browser.get(address))
        assert "alert(1)</script>" not in page
        assert "<b>.test" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_many_are_added_by_a_pasted_list_after_the_plan_was_seen_and_taken_off_by_undo(
    browser: Client, label: str
) -> None:
    membership.assign(label, NOEL.did, by="admin")
    pasted = f"{MIRA.handle}\n{NOEL.handle}\nnoone.example.com\nno actor"
    response = browser.post(f"{MEMBERS}add-many/", {"label": label, "actors": pasted, "note": "choir"}, follow=True)
    ((page, _),) = response.redirect_chain
    shown = text_of(browser.get(page))
    for word in (
        "1 will be changed",
        "1 nothing to do",
        "1 not found",
        "1 not a handle or did",
        "No account has the handle",
    ):
        assert word in shown
    assert members(label) == [NOEL.did]

    def do(what: str, address: str) -> str:
        fence = re.search(r'name="fence" value="(\d+)"', text_of(browser.get(address)))
        assert fence is not None
        response = browser.post(address, {"do": what, "fence": fence[1]}, follow=True)
        (location, _) = response.redirect_chain[-1]
        for _ in steps():
            if not browser.get(location, headers={"accept": "application/json"}).json()["working"]:
                break
        return str(location)

    do("confirm", page)
    assert set(members(label)) == {MIRA.did, NOEL.did}
    told = text_of(browser.get(page))
    assert f"“{label}” was added to 1 actor.</p>" in told
    assert ("1 changed" in told, "will be changed" in told, "Result" in told) == (True, False, True)
    do("undo", page)
    assert members(label) == [NOEL.did]
    assert "This was undone" in text_of(browser.get(page))
    logged = LogEntry.objects.order_by("pk").values_list("object_repr", "change_message")
    assert list(logged) == [(f"{label} for 4 lines", "Confirmed: add."), (f"{label} for 4 lines", "Undone.")]


@pytest.mark.parametrize(
    ("giving", "changed", "others", "sentence"),
    [
        (True, 2, 0, "“choir” was added to 2 actors."),
        (False, 1, 0, "“choir” was removed from 1 actor."),
        (True, 0, 0, "Nothing was changed."),
        (True, 1, 1, "“choir” was added to 1 actor. 1 actor already had it, because another change "
         "came first."),
        (False, 0, 2, "Nothing was changed. 2 actors no longer had it, because another change "
         "came first."),
    ],
)  # fmt: skip
def test_a_change_that_is_done_tells_what_happened(giving: bool, changed: int, others: int, sentence: str) -> None:
    assert result_sentence(BulkChange(label_id="choir", giving=giving), changed=changed, others=others) == sentence


def test_a_change_that_was_cancelled_speaks_of_nothing_to_come(browser: Client, label: str) -> None:
    membership.assign(label, NOEL.did, by="admin")
    dids = [MIRA.did, NOEL.did]
    change = bulk_changes.plan_for_dids(Label.objects.get(name=label), dids, giving=True, by="admin")
    page = f"/admin/labels/bulkchange/{change.pk}/change/"
    assert "1 will be changed" in text_of(browser.get(page))
    change.refresh_from_db()
    shown = text_of(browser.post(page, {"do": "cancel", "fence": str(change.fence)}, follow=True))
    said = ("1 not changed", "1 nothing to do", "will be changed")
    assert [words in shown for words in said] == [True, True, False]


def test_a_page_that_went_stale_confirms_nothing(browser: Client, label: str) -> None:
    browser.post(f"{MEMBERS}add-many/", {"label": label, "actors": MIRA.did}, follow=True)
    change = BulkChange.objects.get()
    page = f"/admin/labels/bulkchange/{change.pk}/change/"
    response = browser.post(page, {"do": "confirm", "fence": str(change.fence - 1)}, follow=True)
    assert "no longer in the state you saw" in text_of(response)
    assert members(label) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [({"actors": ""}, "Paste at least one account"), ({"actors": "a.test\n" * 5_001}, "The list has 5,001 lines")],
)
def test_a_list_that_cannot_be_is_refused(browser: Client, label: str, given: dict[str, str], sentence: str) -> None:
    response = browser.post(f"{MEMBERS}add-many/", {"label": label, **given})
    assert sentence in text_of(response)
    assert not BulkChange.objects.exists()


def test_a_list_is_read_from_a_file_up_to_a_size(browser: Client, label: str) -> None:
    def send(text: bytes) -> str:
        file = SimpleUploadedFile("members.csv", text)
        return text_of(browser.post(f"{MEMBERS}add-many/", {"label": label, "file": file}, follow=True))

    start = f"handle,did\nmira,{MIRA.did}\nnoel,{NOEL.did}\n".encode()
    assert "2 will be changed" in send(start + b"\n" * (1_000_000 - len(start)))
    assert "The file is larger than 1,000 KB: split it into parts." in send(start + b"\n" * 1_000_000)
    assert BulkChange.objects.count() == 1


def test_who_could_not_be_looked_up_is_looked_up_again_from_the_page(browser: Client, label: str) -> None:
    browser.post(f"{MEMBERS}add-many/", {"label": label, "actors": MIRA.handle}, follow=True)
    change = BulkChange.objects.get()
    bulk_changes.advance(change)
    page = f"/admin/labels/bulkchange/{change.pk}/change/"
    assert browser.post(page, {"do": "again", "fence": str(change.fence)}).status_code == 302
    change.refresh_from_db()
    assert (change.state, members(label)) == (BulkChange.State.FINDING, [])


def test_ticked_members_are_taken_off_by_a_plan(browser: Client, label: str) -> None:
    for person in ALL:
        membership.assign(label, person.did, by="admin")
    chosen = [str(row.pk) for row in ActorLabel.objects.filter(did__in=[MIRA.did, NOEL.did])]
    response = browser.post(MEMBERS, {"action": "remove_label", "_selected_action": chosen}, follow=True)
    assert "2 will be changed" in text_of(response)
    assert len(members(label)) == 3


def test_ticked_members_of_several_labels_are_left_alone(browser: Client, label: str) -> None:
    Label.objects.create(name="other")
    membership.assign(label, MIRA.did, by="admin")
    membership.assign("other", MIRA.did, by="admin")
    chosen = [str(pk) for pk in ActorLabel.objects.values_list("pk", flat=True)]
    response = browser.post(MEMBERS, {"action": "remove_label", "_selected_action": chosen}, follow=True)
    assert "These members have different labels" in text_of(response)
    assert not BulkChange.objects.exists()


def test_members_are_downloaded_as_csv(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="=admin")
    response = browser.get(f"{MEMBERS}export", {"label": label}, follow=True)
    assert response["Content-Disposition"].startswith(f'attachment; filename="members-{label}-')
    body = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert f"{label},{MIRA.did},,,,'=admin," in body


def test_the_form_of_a_member_keeps_label_and_did(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    row = ActorLabel.objects.get()
    browser.post(f"{MEMBERS}{row.pk}/change/", {"label": "other", "did": NOEL.did, "note": "new"})
    row.refresh_from_db()
    assert (row.label_id, row.did, row.note, row.changed_by) == (label, MIRA.did, "new", "admin")


def test_the_name_of_a_label_stays(browser: Client, label: str) -> None:
    pk = Label.objects.get().pk
    browser.post(f"/admin/labels/label/{pk}/change/", {"name": "renamed", "meaning": "m"})
    assert list(Label.objects.values_list("name", "meaning")) == [(label, "m")]


def test_a_label_is_deleted_only_without_members_and_feeds(browser: Client, label: str) -> None:
    FeedDefinition.objects.all().delete()
    row = Label.objects.get()
    delete = f"/admin/labels/label/{row.pk}/delete/"

    def refused(used_by: str, to_do: str) -> None:
        page = browser.post(delete, {"post": "yes"}, follow=True)
        assert page.redirect_chain == [(delete.replace("delete", "change"), 302)]
        assert f"The label {label} is in use: {used_by}. Before you delete it, {to_do}." in text_of(page)

    membership.assign(label, MIRA.did, by="admin")
    refused("1 member", "remove its members")
    with pytest.raises(ProtectedError):
        row.delete()
    feed = FeedDefinition.objects.create(rkey="choir", kind="label", parameters={"label": label}, display_name="Choir")
    move = "delete its feeds or give them another label"
    refused("1 member; the feed choir", f"remove its members, and {move}")
    membership.remove(label, MIRA.did, by="admin")
    refused("the feed choir", move)
    feed.delete()
    change = bulk_changes.plan(row, MIRA.handle, giving=True, by="admin")
    refused("a bulk change that has not ended", "apply or cancel the bulk change")
    bulk_changes.cancel(change, by="admin")
    assert delete in text_of(browser.get(delete.replace("delete", "change")))
    assert "was deleted successfully" in text_of(browser.post(delete, {"post": "yes"}, follow=True))
    assert not Label.objects.exists()
    assert not ActorLabel.every.exists()


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_a_label_that_was_deleted_can_be_made_again_without_its_former_members(browser: Client, label: str) -> None:
    FeedDefinition.objects.all().delete()
    membership.assign(label, MIRA.did, by="admin")
    membership.remove(label, MIRA.did, by="admin")
    Label.objects.get().delete()
    assert compare_copies.repair(ActorLabel) == []
    Label.objects.create(name=label)
    assert not membership.has_label(MIRA.did, label)
    membership.assign(label, MIRA.did, by="admin")
    assert membership.has_label(MIRA.did, label)
    assert members(label) == [MIRA.did]


def test_a_label_leads_to_its_members_and_to_a_feed_while_none_uses_it(browser: Client, label: str) -> None:
    FeedDefinition.objects.all().delete()
    page = f"/admin/labels/label/{Label.objects.get(name=label).pk}/change/"
    shown = text_of(browser.get(page))
    assert f'href="{MEMBERS}add-many/?label={label}"' in shown
    (feed,) = re.findall(r'href="(/admin/feeds/feeddefinition/add/[^"]+)"', shown)
    chosen = re.search(r'<option value="([^"]*)" selected', text_of(browser.get(feed.replace("&amp;", "&"))))
    assert chosen is not None
    assert chosen[1] == label
    FeedDefinition.objects.create(rkey="choir", kind="label", parameters={"label": label}, display_name="Choir")
    assert "Create a feed from it" not in text_of(browser.get(page))


def test_a_label_tells_how_many_carry_it_and_which_feeds_use_it(browser: Client, label: str) -> None:
    FeedDefinition.objects.all().delete()
    FeedDefinition.objects.create(
        rkey="choir", kind="label", parameters={"label": label}, display_name="Choir", visibility="private"
    )
    FeedDefinition.objects.create(
        rkey="off", kind="label", parameters={"label": label}, display_name="Off", enabled=False
    )
    Label.objects.create(name="unused")
    membership.assign(label, MIRA.did, by="admin")
    page = text_of(browser.get("/admin/labels/label/"))
    plain = re.sub(r"<[^>]+>", "", page)
    assert "choir (members only), off (posts by its members, switched off)" in plain
    assert "no feed" in plain
    assert f"?label__id__exact={Label.objects.get(name=label).pk}" in page


def test_a_change_that_redis_did_not_hear_of_says_so(browser: Client, label: str) -> None:
    data = form(label, MIRA.did)
    with redis_away():
        response = browser.post(f"{MEMBERS}add/", data | {"label": label}, follow=True)
    assert "the change can take up to 30 seconds" in text_of(response)


def test_who_saves_what_somebody_else_has_just_changed_is_led_back(
    browser: Client, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    membership.assign(label, MIRA.did, by="admin", note="old")
    row = ActorLabel.objects.get()
    save_model = ActorLabelAdmin.save_model

    def after_another(self: ActorLabelAdmin, *args: Any) -> None:
        ActorLabel.objects.filter(pk=row.pk).update(note="theirs")
        save_model(self, *args)

    monkeypatch.setattr(ActorLabelAdmin, "save_model", after_another)
    page = f"{MEMBERS}{row.pk}/change/"
    response = browser.post(page, {"note": "mine"}, follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert "was changed by another person in the meantime" in text_of(response)
    # The other change was made inside this request's transaction here, and went with it.
    assert ActorLabel.objects.get().note == "old"


def test_the_second_of_two_who_had_the_same_form_open_is_told_what_the_first_changed(
    browser: Client, label: str
) -> None:
    membership.assign(label, MIRA.did, by="admin", note="old")
    page = f"{MEMBERS}{ActorLabel.objects.get().pk}/change/"
    opened = re.search(r'name="seen_change" value="([^"]*)"', text_of(browser.get(page)))
    assert opened is not None
    first = browser.post(page, {"note": "first", "seen_change": opened[1]})
    second = browser.post(page, {"note": "second", "seen_change": opened[1]})
    assert (first.status_code, second.status_code) == (302, 200)
    sentence = re.search(r"\w+ changed this at [\d:]{8} UTC, after you opened it: (.*)", text_of(second))
    assert sentence is not None
    assert sentence[1].strip() == "note: “old” → “first”; changed via: “server” → “admin”."
    assert ActorLabel.objects.get().note == "first"


def test_the_page_of_an_actor_asks_for_its_earlier_posts_again(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    Backfill.objects.update(state=Backfill.State.FAILED, reason="its PDS is odd")
    page = f"{MEMBERS}actor/{MIRA.did}/"
    assert "its PDS is odd" in text_of(browser.get(page))
    said = text_of(browser.post(f"{page}fetch/", follow=True))
    assert "Its earlier records will be fetched within the next few minutes." in said
    assert Backfill.objects.get().state == Backfill.State.QUEUED
    browser.post(f"{MEMBERS}actor/{OTTO.did}/fetch/")
    assert Backfill.objects.count() == 1  # not for someone who never had a label


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (f"\u202a@{MIRA.handle}\u202c", MIRA.did),
        (f"bsky.app/profile/{MIRA.handle}", MIRA.did),
        (f"bsky.app/profile/{MIRA.handle}/post/3k/quotes?x#y", f"at://{MIRA.did}/app.bsky.feed.post/3k"),
        (f"\u202ahttps://bsky.app/profile/{MIRA.did}/post/3k\u202c", f"at://{MIRA.did}/app.bsky.feed.post/3k"),
        (f"\u2068at://{MIRA.did}/app.bsky.feed.post/3k", f"at://{MIRA.did}/app.bsky.feed.post/3k"),
        (f"at://{MIRA.handle}/app.bsky.feed.post/3k", f"at://{MIRA.did}/app.bsky.feed.post/3k"),
    ],
)
def test_what_to_block_is_read_as_people_paste_it(browser: Client, text: str, subject: str) -> None:
    assert browser.post("/admin/labels/block/add/", {"subject": text, "feed": ""}).status_code == 302
    assert Block.objects.get().subject == subject


def test_a_handle_that_could_not_be_verified_is_told_and_blocks_no_one(browser: Client, label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    b.store(
        b.identity(MIRA.did, MIRA.handle, at=b.ago(days=1)), b.identity(MIRA.did, "handle.invalid", at=b.ago(hours=1))
    )
    for page in (MEMBERS, f"{MEMBERS}actor/{MIRA.did}/"):
        text = html.unescape(text_of(browser.get(page)))
        assert "this account's handle could not be verified" in text
        assert f"@{MIRA.handle}" not in text
    for text in ("handle.invalid", "https://bsky.app/profile/handle.invalid/post/3k"):
        answer = browser.post("/admin/labels/block/add/", {"subject": text, "feed": ""})
        assert "handle.invalid names no account" in text_of(answer)
    assert not Block.objects.exists()


@pytest.mark.parametrize("text", ["did:plc:short", "at://did:plc:short/app.bsky.feed.post/3k"])
def test_a_cut_off_did_is_not_blocked(browser: Client, text: str) -> None:
    response = browser.post("/admin/labels/block/add/", {"subject": text, "feed": ""})
    assert "did:plc:short is not a whole did" in text_of(response)
    assert not Block.objects.exists()


@pytest.mark.parametrize("text", [f"at://{MIRA.did}/app.bsky.feed.post", f"at://{MIRA.did}/posts/3k", "at://"])
def test_part_of_an_at_uri_does_not_block_its_author(browser: Client, text: str) -> None:
    response = browser.post("/admin/labels/block/add/", {"subject": text, "feed": ""})
    assert "Enter a did, or the at-uri of a post" in text_of(response)
    assert not Block.objects.exists()


def test_a_block_is_added_and_deleted(browser: Client) -> None:
    FeedDefinition.objects.get_or_create(rkey="whats-hot", defaults={"kind": "hot", "display_name": "What's hot"})
    assert browser.post("/admin/labels/block/add/", {"subject": MIRA.did, "feed": "whats-hot"}).status_code == 302
    (block,) = Block.objects.all()
    assert (block.subject, block.feed, block.created_by) == (MIRA.did, "whats-hot", "admin")
    Block.objects.create(subject=NOEL.did)
    shown = text_of(browser.get("/admin/labels/block/"))
    assert re.findall(r'class="[^"]*field-where[^"]*"[^>]*>\s*([^<]*?)\s*<', shown) == ["everywhere", "whats-hot"]
    Block.objects.filter(subject=NOEL.did).delete()
    assert browser.post(f"/admin/labels/block/{block.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Block.objects.exists()
