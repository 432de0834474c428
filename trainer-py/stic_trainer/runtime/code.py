"""Which code this is, for the record of what it makes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def code_commit() -> str:
    """STIC_COMMIT, else the repository's commit with "-dirty" when files differ from it; "" when there is no repository."""
    told = os.environ.get("STIC_COMMIT", "")
    if told:
        return told
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
