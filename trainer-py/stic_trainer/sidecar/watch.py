"""A job's journal as a stream of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from google.protobuf import json_format

from stic.common.v1 import common_pb2 as common
from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.runtime.journal import TERMINAL, read_lines

TAIL_SECONDS = 0.05
_TERMINAL_STATES = frozenset(common.JobState.Value(name) for name in TERMINAL)


async def watch(journal: Path, after_seq: int) -> AsyncIterator[pb.JobEvent]:
    """Events with seq > ``after_seq``, then live ones; ends after the terminal one. Nothing is read ahead of the consumer
    but about a megabyte of lines.
    """
    seq, offset = 0, 0
    while True:
        lines = read_lines(journal, offset)
        for text, end in lines:
            seq, offset = seq + 1, end  # seq has no gaps: the line's number is its seq
            if seq <= after_seq and b'"state":{' not in text:
                continue
            event = json_format.Parse(text, pb.JobEvent(), ignore_unknown_fields=True)
            if seq > after_seq:
                yield event
            if event.state.state in _TERMINAL_STATES:
                return
        if not lines:
            await asyncio.sleep(TAIL_SECONDS)
