"""Reads recipes as a JSON list and writes, for each, the field for which the trainer refuses a job with it, or null."""

import json
import sys

from stic_trainer.config.job import parse_job
from stic_trainer.errors import StageError


def judge(recipe: object) -> str | None:
    try:
        parse_job({"job_id": "job", "run_id": "run", "kind": "STAGE_KIND_DPO", "recipe": recipe, "inputs": []})
    except StageError as error:
        return error.subject
    return None


print(json.dumps([judge(recipe) for recipe in json.load(sys.stdin)]))
