"""The rooms on PostgreSQL: the very tests that they pass on SQLite, over a server of the tests' own, and the portal on top of it.

What is imported here is collected here too, and meets this module's fixtures instead of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine, text

from node import store
from node.errors import NodeError
from office.archives import service as archives
from office.documents import service
from tests import postgres
from tests.city import ROOT
from tests.office import test_documents, test_documents_pages, test_people
from tests.office.test_archives import (  # noqa: F401
    test_a_borrower_reads_for_as_long_as_the_loan_runs,
    test_a_package_opens_and_proves_with_nothing_installed,
    test_codes_have_no_gap_and_stay,
    test_no_act_but_the_list_takes_an_item_away,
    test_nothing_is_destroyed_but_by_an_approved_and_supervised_list,
    test_what_is_issued_and_what_is_closed_is_proposed,
)
from tests.office.test_documents import (  # noqa: F401
    World,
    issued,
    paper,
    test_a_corrected_issue_replaces_the_first_and_keeps_its_number,
    test_a_document_goes_the_whole_way_and_every_step_refolds_to_the_same,
    test_a_document_is_sent_back_with_a_reason_of_the_list,
    test_a_recall_is_silent_before_and_a_request_after_signing_for,
    test_lists_and_local_organs_are_reached,
    test_nobody_else_sees_it,
    test_one_step_issue_is_once_for_one_id,
    test_the_first_to_sign_for_stands,
    test_the_matrix_says_what_is_unknown,
    test_todo_names_what_waits,
    test_two_hands_at_once_are_told,
)
from tests.office.test_documents_numbers import test_numbers_have_no_gap_and_no_double_under_kill  # noqa: F401
from tests.office.test_documents_pages import (  # noqa: F401
    test_a_document_goes_out_and_comes_in_by_forms_alone,
    test_a_form_that_is_behind_is_told_so,
    test_files_go_in_and_come_out_byte_for_byte,
    test_foreign_ids_look_missing_on_every_page,
    test_programs_send_read_and_receipt,
)
from tests.office.test_people import (  # noqa: F401
    Node,
    test_a_first_password_gives_way_to_an_own_key,
    test_a_form_opened_before_a_change_is_refused,
    test_a_lost_password_means_a_new_key,
    test_a_seal_is_issued_to_its_keepers,
    test_an_administrator_enters_organ_post_person_and_appointment,
    test_an_import_by_page_leaves_roles_alone,
    test_files_are_for_oneself_and_administrators,
    test_roles_are_given_by_another_than_who_keeps_records,
)
from tests.office.test_search import (  # noqa: F401
    test_a_changed_draft_is_found_by_its_new_words_only,
    test_a_work_secret_is_found_by_its_title_only,
    test_doing_it_twice_is_doing_it_once,
    test_fields_narrow_and_validity_follows,
    test_longer_words_are_exact,
    test_losing_the_index_loses_nothing,
    test_newest_first_page_by_page,
    test_the_old_index_answers_while_a_new_one_is_built,
    test_the_same_document_is_shown_once,
    test_two_characters_numbers_and_traditional_find,
    test_who_may_not_see_gets_the_answer_for_nothing,
    test_whoever_is_given_a_document_finds_it,
)
from tests.portal.house import Browser, House, opened, seated


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    with postgres.server() as url:
        yield url


def fresh(server: str, name: str) -> str:
    """The URL of an empty database."""
    admin = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as c:
        c.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return server.rsplit("/", 1)[0] + "/" + name


@pytest.fixture(scope="module")
def world(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and a county that keep everything in one database."""
    with test_documents.started(tmp_path_factory.mktemp("documents"), fresh(server, "documents")) as found:
        archives.register_fonds(found.desk("li"), "gov", fonds="Z109", section="BGS")
        yield found


@pytest.fixture(scope="module")
def node(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A city with three administrators and a clerk."""
    with test_people.started(tmp_path_factory.mktemp("people"), fresh(server, "people")) as found:
        yield found


@pytest.fixture(scope="module")
def house(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city with its portal, and five people who can sign in."""
    with opened(tmp_path_factory.mktemp("d"), *test_documents_pages.LOGINS, storage=fresh(server, "portal")) as made:
        yield made


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Browser]:
    """Everybody signed in."""
    return seated(house, test_documents_pages.LOGINS, "/documents")


PAGES = ("/", "/todo", "/documents", "/documents?tab=issued", "/incoming", "/people", "/help", "/api/v1/inbox")


def test_nothing_is_left_in_files(world: World) -> None:
    """Neither journal nor tables lie in the home when a server keeps them."""
    for office in world.offices.values():
        assert not office.settings.path("journal.db").exists()
        assert not list(office.settings.path("tables").glob("**/*.db"))


@pytest.mark.parametrize("page", PAGES)
def test_every_register_opens(people: dict[str, Browser], page: str) -> None:
    """Desk, registers and lists are shown, sorted and paged, also where columns are empty."""
    reply = people["chengxue"].get(page)
    assert reply.status == 200, reply.text


@pytest.mark.parametrize("word", ["100%", "a_b", "back\\slash", "quo'te", "防汛"])
def test_a_search_takes_every_character_as_it_is(people: dict[str, Browser], word: str) -> None:
    """Signs that mean something to LIKE or to SQL find what contains them and nothing else."""
    doc = test_documents_pages.drafted(people["chengxue"], title=f"关于{word}的函")
    other = test_documents_pages.drafted(people["chengxue"], title="关于别的事的函")
    found = people["chengxue"].get(f"/documents?q={quote(word)}").text
    assert doc in found and other not in found


def test_a_nul_character_is_refused(world: World) -> None:
    """PostgreSQL holds no NUL, SQLite does: the ledger refuses it on either, so that both fold the same, and goes on."""
    with pytest.raises(NodeError) as caught:
        service.draft(world.desk("qian"), paper(title="关于\0的函"))
    assert caught.value.code == "malformed"
    assert issued(world)


def test_a_portal_waits_green() -> None:
    """Whatever imports the office's processes first, psycopg waits by select, the only way that lets other greenlets run."""
    code = "import office.frame.run, psycopg.waiting as w; print(w.wait is w.wait_selector)"
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    assert done.stdout.strip() == "True", done.stderr


def test_a_lost_server_is_known_as_broken(server: str) -> None:
    """An engine whose server ended the line says that the disk is the matter, not the request."""
    engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as c, pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the driver calls it
        c.execute(text("select pg_terminate_backend(pg_backend_pid())"))
    engine.dispose()
    assert store.broken(caught.value)
