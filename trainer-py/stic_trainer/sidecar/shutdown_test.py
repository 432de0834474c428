"""A sidecar that is asked to stop ends, whatever its jobs are doing."""

from __future__ import annotations

from pathlib import Path

from stic_trainer.config.job import StageKind
from stic_trainer.sidecar.testing import Sidecar, request_for


def test_a_job_that_runs_at_the_stop_does_not_keep_the_sidecar(tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path, "--grace-seconds", "5")
    try:
        sidecar.stub.SubmitJob(request_for("job", StageKind.PREFER, [("images", "0" * 64)]))
        sidecar.worker("job")
        assert sidecar.terminate() == 0
    finally:
        sidecar.close()
