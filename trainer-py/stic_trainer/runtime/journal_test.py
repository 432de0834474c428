"""The journal: numbered without gaps, whole after any crash, one writer at a time."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stic_trainer.runtime.journal import Journal, JournalBusy, last_event, read_lines
from stic_trainer.sidecar.environment import worker_environment

RUNNING, SUCCEEDED = {"state": "JOB_STATE_RUNNING"}, {"state": "JOB_STATE_SUCCEEDED"}


def events(path: Path) -> list[dict[str, object]]:
    return [json.loads(line.text) for line in read_lines(path, limit=1 << 30)]


def seqs(path: Path) -> list[int]:
    return [int(str(event["seq"])) for event in events(path)]


def written_by(path: Path, script: str) -> subprocess.Popen[bytes]:
    """A process of its own that writes to the journal."""
    program = (
        f"from pathlib import Path\nfrom stic_trainer.runtime.journal import Journal\njournal = Journal(Path({str(path)!r}))\n{script}"
    )
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=worker_environment())


def test_events_are_numbered_and_read_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path)
    assert [journal.append("log", {"level": "info", "message": f"ü\n{number}\u2028"}) for number in range(3)] == [1, 2, 3]
    assert journal.append("state", SUCCEEDED, durable=True) == 4
    journal.close()
    assert seqs(path) == [1, 2, 3, 4]
    assert [event["log"] for event in events(path)[:3]] == [{"level": "info", "message": f"ü\n{number}\u2028"} for number in range(3)]
    assert all(str(event["at"]).endswith("Z") for event in events(path))


def test_a_text_that_utf8_cannot_hold_does_not_stop_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.append("log", {"level": "info", "message": "half \ud800 and \x00"})
    assert events(tmp_path / "events.jsonl")[0]["log"] == {"level": "info", "message": "half ? and \x00"}


def test_a_terminal_state_closes_it_for_good(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path)
    journal.append("state", RUNNING)
    assert not journal.terminal
    journal.append("state", SUCCEEDED)
    journal.close()
    again = Journal(path)
    assert (again.terminal, again.seq) == (True, 2)
    with pytest.raises(ValueError, match="closed by a terminal state"):
        again.append("log", {"message": "late"})
    assert seqs(path) == [1, 2]


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    process = written_by(path, "print(journal.append('log', {}), flush=True); import time; time.sleep(60)")
    assert process.stdout is not None
    assert process.stdout.readline() == b"1\n"
    with pytest.raises(JournalBusy):
        Journal(path)
    process.kill()
    process.wait()
    process.stdout.close()
    assert Journal(path).seq == 1


@pytest.mark.parametrize("torn", [b"{", b'{"seq":"3","at":"2026-01-01T00:00:00Z","state":{"state":"JOB_STATE_SUCC', b'{"seq":"3"}'])
def test_a_torn_last_line_is_not_read_and_then_cut_off(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path)
    journal.append("state", RUNNING)
    journal.append("log", {"message": "two"})
    journal.close()
    with open(path, "ab") as file:
        file.write(torn)
    assert seqs(path) == [1, 2]
    assert last_event(path)[0]["seq"] == "2"
    again = Journal(path)
    assert (again.seq, again.terminal) == (2, False)
    assert again.append("log", {"message": "three"}) == 3
    assert seqs(path) == [1, 2, 3]


def test_a_first_line_that_is_torn_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"seq":"1"')
    assert last_event(path) == ({}, 0)
    assert Journal(path).append("state", RUNNING) == 1
    assert seqs(path) == [1]


def test_kill_9_at_any_moment_leaves_whole_lines_without_gaps(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    expected = 0
    for _ in range(3):
        endless = "number = journal.seq\nprint(number, flush=True)\nwhile True: journal.append('log', {'message': 'x' * 3000})"
        process = written_by(path, endless)
        assert process.stdout is not None
        assert int(process.stdout.readline()) >= expected
        size = path.stat().st_size
        while path.stat().st_size < size + 200_000:
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = seqs(path)
        assert found == list(range(1, len(found) + 1))
        assert len(found) > expected
        expected = len(found)
    assert Journal(path).append("state", SUCCEEDED) == expected + 1


def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    script = """
import resource
journal.append("log", {"message": "fits"})
resource.setrlimit(resource.RLIMIT_FSIZE, (600, resource.RLIM_INFINITY))
try:
    journal.append("log", {"message": "x" * 2000})
except OSError as error:
    print(type(error).__name__, journal.seq, flush=True)
print(journal.append("log", {"message": "fits too"}), flush=True)
"""
    process = written_by(path, script)
    output, _ = process.communicate(timeout=30)
    assert output.split() == [b"OSError", b"1", b"2"]
    assert seqs(path) == [1, 2]


def test_reading_goes_on_from_an_offset_and_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert read_lines(path) == []
    journal = Journal(path)
    for number in range(50):
        journal.append("log", {"message": "x" * (number * 40)})
    found, offset = [], 0
    while lines := read_lines(path, offset, limit=1000):
        found += [json.loads(line.text)["seq"] for line in lines]
        offset = lines[-1].end
    assert found == [str(number) for number in range(1, 51)]
    assert offset == path.stat().st_size
    journal.append("log", {"message": "later"})
    assert [json.loads(line.text)["seq"] for line in read_lines(path, offset)] == ["51"]


def test_the_last_event_is_found_behind_a_long_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert last_event(path) == ({}, 0)
    journal = Journal(path)
    journal.append("state", RUNNING)
    for size in (10, 70_000, 700_000, 5):
        journal.append("log", {"message": "x" * size})
        event, end = last_event(path)
        assert (event["seq"], len(event["log"]["message"]), end) == (str(journal.seq), size, path.stat().st_size)
