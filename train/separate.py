"""The published way to a cascade: a network that tells the bones apart, and one network for each bone, all separate."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from osteo_edge.bundle import Bundle, read_bundle, require_free
from osteo_edge.console import Advance
from osteo_edge.durable import sync_folder
from osteo_edge.errors import BundleError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.split import Split
from osteo_edge.strict import to_dict
from osteo_edge.train.heads import ROUTER, finding_of, labels_by_bone
from osteo_edge.train.training import Job, Trained, check_parts, split_bytes, train_bundle
from osteo_edge.wording import COMPARISON_USE


@dataclass(frozen=True)
class Member:
    """One of the networks and its job: the router, or that of the bone which it is called by."""

    name: str
    job: Job


@dataclass(frozen=True)
class Part:
    """What came of one member: its bundle, and what was measured; None where it was there from the run before."""

    name: str
    bundle: Bundle
    trained: Trained | None


def members(job: Job) -> tuple[Member, ...]:
    """The router's job and each bone's, of a job whose labels are those of all bones (`heads.paired_labels`)."""
    by_bone = labels_by_bone(job.config)
    bones = tuple(by_bone)
    labels = {label: (bone, label.removeprefix(f"{bone} ")) for bone, own in by_bone.items() for label in own}
    router = _member(ROUTER, job, {label: bone for label, (bone, _) in labels.items()}, bones)
    router = replace(router, job=replace(router.job, intended_use=COMPARISON_USE))
    own_labels = {bone: tuple(labels[label][1] for label in own) for bone, own in by_bone.items()}
    of_bones = []
    for bone in bones:
        member = _member(bone, job, {label: labels[label][1] for label in by_bone[bone]}, own_labels[bone])
        finding = finding_of(own_labels[bone][1:], of_bone=True)
        of_bones.append(replace(member, job=replace(member.job, finding=finding)))
    return (router, *of_bones)


def train_separately(job: Job, out: Path, *, on_progress: Advance) -> Iterator[Part]:
    """Train the members one after the other and put their bundles into the new folder `out`.

    Those that an interrupted run finished, with the same settings on the same split, are not trained again unless the
    job's `resume` is False. The folder gets its name once all are there; a member that Ctrl-C ended is not, and raises
    `KeyboardInterrupt`. Raises `DatasetError` before anything is trained where data and split do not fit.
    """
    require_free(out)
    check_parts(job)
    work = out.with_name(f"{out.name}.partial-cascade")
    if not job.resume:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    for member in members(job):
        folder = work / member.name
        finished = _finished(member, folder) if job.resume else None
        if finished is not None:
            yield Part(member.name, finished, None)
            continue
        trained = train_bundle(member.job, folder, on_progress=_named(on_progress, member.name))
        if trained.fit.interrupted:
            shutil.rmtree(folder)
            raise KeyboardInterrupt
        yield Part(member.name, trained.bundle, trained)
    work.rename(out)
    sync_folder(out.parent)


def _member(name: str, job: Job, label_of: dict[str, str], labels: tuple[str, ...]) -> Member:
    known = [case for case in job.dataset.cases if case.label in label_of]
    cases = {case.name: replace(case, label=label_of[case.label]) for case in known}
    dataset = replace(job.dataset, cases=tuple(cases.values()))
    rows = tuple(replace(row, label=cases[row.name].label) for row in job.split.rows if row.name in cases)
    config = replace(job.config, labels=labels, heads=())
    return Member(name, replace(job, dataset=dataset, split=Split(rows), config=config, name=f"{job.name}, {name}"))


def _finished(member: Member, folder: Path) -> Bundle | None:
    """The member's bundle if it is there, of the same settings and films."""
    if not folder.exists():
        return None
    try:
        bundle = read_bundle(folder)
    except BundleError:
        return None
    manifest, split = bundle.manifest, sha256_bytes(split_bytes(member.job.split))
    same = manifest.parent.recipe.get("train") == to_dict(member.job.config) and manifest.data.split_sha256 == split
    if not same:
        raise BundleError(
            f"{folder}: is of a run with other settings or other films; remove {folder.parent} to begin anew"
        )
    return bundle


def _named(on_progress: Advance, name: str) -> Advance:
    def advance(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        on_progress(done, total, note, name if stage is None else f"{name}: {stage}")

    return advance
