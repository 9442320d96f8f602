"""The answers of one recipe for one fold, as a file: what an interrupted cross-validation goes on from."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.train.folds import Folds
from osteo_edge.train.recipe import Answers, Recipe
from osteo_edge.version import VERSION
from osteo_edge.writing import write_whole


@dataclass(frozen=True, eq=False)
class Stored:
    """What a recipe answered for a fold, and how many seconds that took."""

    answers: Answers
    seconds: float


def answers_path(out: Path, name: str, repeat: int, fold: int) -> Path:
    """Where the answers of a recipe lie; numbers from 1, as people count."""
    return out / "results" / name / f"{repeat + 1}-{fold + 1}.npz"


def answers_key(recipe: Recipe, folds: Folds, repeat: int, fold: int) -> str:
    """What the answers depend on, as a hash: the recipe, the images, their labels and parts, the seed, the version."""
    facts = [VERSION, recipe.describe(), folds.seed, [vars(image) for image in folds.images], repeat, fold]
    text = json.dumps(facts, sort_keys=True).encode()
    return hashlib.sha256(text + folds.parts[repeat, fold].tobytes()).hexdigest()


def write_answers(path: Path, stored: Stored, key: str) -> None:
    """Write in one step, so that a killed run leaves the file whole or not at all."""
    answers = stored.answers
    about = {"key": key, "seconds": stored.seconds, "losses": {name: list(v) for name, v in answers.losses.items()}}
    arrays: dict[str, Any] = {"validation": answers.validation, "test": answers.test, "about": json.dumps(about)}
    if answers.held_out is not None:
        arrays["held_out"] = answers.held_out
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_whole(path, buffer.getvalue(), "a fold's answers")


def read_answers(path: Path, key: str) -> Stored | None:
    """What lies there under that key; None where nothing does, or it was made otherwise and is to be made again."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            found = dict(arrays)
        about = json.loads(str(found["about"]))
    except (FileNotFoundError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if about.get("key") != key:
        return None
    losses = {name: tuple(values) for name, values in about["losses"].items()}
    return Stored(Answers(found["validation"], found["test"], found.get("held_out"), losses), about["seconds"])
