"""The members of a cascade of separate networks: what each is asked, and in whose words it answers."""

from pathlib import Path

from osteo_edge.dataset import Case, Dataset
from osteo_edge.split import Split
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.heads import with_heads
from osteo_edge.train.separate import members
from osteo_edge.train.training import Job
from osteo_edge.wording import COMPARISON_USE

LABELS = {"wrist": ("normal", "fracture"), "knee": ("normal", "osteoporosis")}


def test_each_bone_answers_in_words_of_its_own_finding_and_the_router_answers_nothing() -> None:
    """A wrist whose labels do not say "abnormal" is no matter of bone density."""
    plain = [
        Case(Path(f"{b}{n}"), f"{b}{n}", label, bone=b) for b, own in LABELS.items() for n, label in enumerate(own)
    ]
    config = with_heads(TrainConfig(), Dataset("films", Path("films"), tuple(plain)))
    cases = tuple(Case(case.path, case.name, f"{case.bone} {case.label}", bone=case.bone) for case in plain)
    job = Job(Dataset("films", Path("films"), cases), Split(()), config, "films", "radiologist")
    router, knee, wrist = members(job)
    assert [member.name for member in (router, knee, wrist)] == ["router", "knee", "wrist"]
    assert (knee.job.finding, wrist.job.finding) == (None, "abnormality")
    assert (router.job.intended_use, wrist.job.intended_use) == (COMPARISON_USE, None)
    assert (wrist.job.config.labels, router.job.config.labels) == (("normal", "fracture"), ("knee", "wrist"))
