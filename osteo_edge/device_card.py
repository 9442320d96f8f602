"""The parts of a model card that are about its use as a device, by the manifest and by what someone says of the model.

They follow what the FDA's draft guidance of January 2025, "Artificial Intelligence-Enabled Device Software Functions:
Lifecycle Management and Marketing Submission Recommendations", asks for in a device's labelling, a model card in it:
device, users, inputs and outputs, risks, updates, monitoring. What nobody said is listed as such.
"""

from collections.abc import Mapping
from typing import Any, Final

from osteo_edge.about import ASKED, NOTHING_SAID, About
from osteo_edge.findings import findings_of
from osteo_edge.manifest import Manifest

SAYS: Final = {
    "manufacturer": "Manufacturer",
    "contact": "Contact",
    "regulatory_status": "Regulatory status",
    "authors": "Authors",
    "copyright": "Copyright",
    "licence": "Licence",
    "users": "Users",
    "environment": "Environment",
    "patients": "Patients",
    "workflow": "In the work",
    "equipment": "Equipment",
    "data_source": "Where they are from",
    "demographics": "People",
    "reference_standard": "How the labels were decided",
    "clinical_validation": "At other sites",
    "risk_management": "Risks weighed",
    "update_plan": "Planned changes",
    "monitoring_plan": "Watched by",
    "references": "Published",
    "changelog": "Changes",
}
"""The words before what was said on a field of `About`."""
GIVE: Final = (
    "Nobody has said the following of this model. Whoever knows writes it into a TOML file, under these names, and has "
    "a card made with it: `osteo-edge inspect BUNDLE --about about.toml --card CARD.md`."
)
SAID_BY: Final = (
    "Said by whoever had this card made, in a file beside the bundle: no signature of the bundle covers it, and the "
    "program has checked none of it."
)
UNCHANGING: Final = (
    "The model does not learn in use: a change is another bundle, with another SHA-256, and the figures of this card "
    "are not its figures."
)
OVERRIDES: Final = (
    "The app records where it was decided otherwise than the model answered, with the reason, if somebody enters it."
)
WATCHED: Final = {
    "density": (
        "The app lays answers about bone density beside the DXA results that are entered (Follow-up), with intervals, "
        "and tells when the brightness or contrast of the films changes. Somebody has to look there."
    ),
    "abnormality": (
        "Answers about abnormalities are compared with nothing: the app has no place for what a reader of the film "
        "found."
    ),
}


def said(about: About, *names: str) -> list[str]:
    """What was said on these fields, an item of a list each; nothing for those on which nothing was."""
    return [f"- {SAYS[name]}: {text}" for name in names if (text := about.said(name)) is not None]


def device(manifest: Manifest, about: About) -> str:
    """Which model this is, and who answers for it."""
    lines = [
        f"- Name: {manifest.name}, version {manifest.version}",
        f"- Made by {manifest.created_by}, {manifest.created_at}",
        "- An artificial neural network gives the answers. It is a research prototype unless the regulatory status "
        "here says otherwise.",
        *said(about, "manufacturer", "contact", "regulatory_status", "authors", "copyright", "licence"),
        *said(about, "references"),
    ]
    return "\n".join(lines) + ("" if about == NOTHING_SAID else f"\n\n{SAID_BY}")


def intended_use(manifest: Manifest, about: About) -> str:
    """What the model is for, and by whom, where and for whom it is to be used."""
    items = said(about, "users", "environment", "patients", "workflow")
    return "\n\n".join([manifest.intended_use, *(["\n".join(items)] if items else [])])


def inputs_and_outputs(manifest: Manifest) -> list[str]:
    """What goes into the model and what comes out of it, an item of a list each."""
    spec, outputs = manifest.input, manifest.outputs
    region = "each knee, cut out of the film" if spec.resize == "knees" else "the whole film"
    taken = ", ".join(manifest.gate.modalities)
    positive = " or ".join(manifest.decision.positive_labels)
    items = [
        f"- Takes: an X-ray image (DICOM of modality {taken}, or a picture), of which it sees {region}",
        f"- Gives: refer, no finding, uncertain or rejected, and the calibrated probability of {positive}",
    ]
    if outputs.activation_map is not None:
        items.append("- Shows: which part of the film moved the answer; that is no proof that the answer is right")
    needs = "LiteRT or TensorFlow Lite, on the processor" if manifest.model.format == "tflite" else "TensorFlow"
    return [*items, f"- Needs: {needs}; how fast it is there, `osteo-edge bench` measures"]


def network(record: Mapping[str, Any]) -> list[str]:
    """Which network it is, by what training recorded; nothing where that was not."""
    train = record.get("train")
    if not isinstance(train, Mapping) or "backbone" not in train:
        return []
    width = "" if train.get("alpha") is None else f", width {train['alpha']}"
    return [f"- Network: {train['backbone']}{width}; weights at the start: {train.get('weights', 'not recorded')}"]


def picture_checks(manifest: Manifest) -> str:
    """What an image must be to be screened."""
    gate = manifest.gate
    return (
        f"An image is not screened whose shorter side is below {gate.min_side_px} pixels, whose contrast is below "
        f"{gate.min_contrast:g} or whose colour is above {gate.max_chroma:g} of the full scale, or that the checks of "
        "the picture refuse: blurred, over- or under-exposed, negative, no film. They know pictures, not bones."
    )


def risks(manifest: Manifest, about: About) -> str:
    """How the model can harm, and what is done about it."""
    decisions = [manifest.decision] if manifest.router is None else [head.decision for head in manifest.router.heads]
    asked = " and ".join(sorted({f"{decision.target_sensitivity:.2f}" for decision in decisions}))
    unlike = (
        "Films unlike those that it learned from are refused, most of them."
        if manifest.familiarity is not None
        else "Nothing tells a film unlike those that it learned from: the bundle has no statistics of them."
    )
    lines = [
        f"- A finding is missed. A sensitivity of {asked} was asked for when the threshold was chosen, so some are; "
        "the answer says that it rules nothing out.",
        "- Somebody is referred for nothing: see the specificity, where it was measured.",
        f"- The film is of another bone, person or machine than those that it learned from. {unlike}",
        "- The answer is followed without a look at the film, or the look is swayed by it. How people decide with it "
        "has not been measured by this program.",
        "- The files are damaged or exchanged: each is verified by its SHA-256 when the model is loaded, and "
        "`osteo-edge verify` tells who signed them, where someone did.",
        *said(about, "risk_management"),
    ]
    return "\n".join(lines)


def updates(manifest: Manifest, about: About) -> str:
    """How the model changes, and who would notice that it does worse."""
    watched = [f"- {WATCHED[finding]}" for finding in findings_of(manifest)]
    return "\n".join(
        [f"- {UNCHANGING}", *watched, f"- {OVERRIDES}", *said(about, "update_plan", "monitoring_plan", "changelog")]
    )


def not_stated(about: About) -> str:
    """What nobody has said of the model, and how to say it; empty where all was said."""
    if not about.unsaid:
        return ""
    return "\n".join([f"{GIVE}\n", *(f"- `{name}`: {ASKED[name]}" for name in about.unsaid)])
