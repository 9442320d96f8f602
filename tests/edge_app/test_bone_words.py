"""Bones and labels are words of a model: the known ones have a translation."""

import pytest

from osteo_edge.edge_app.bone_words import BONES, MAX_BONE, bone_name, bone_words, bones_of, label_words
from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.manifest import Manifest
from tests.cascade import cascade_manifest
from tests.edge_app.history.made import make_entry


def test_the_bones_of_the_public_set_and_the_knee_are_known() -> None:
    assert set(BONES) == {"elbow", "finger", "forearm", "hand", "humerus", "shoulder", "wrist", "knee"}


@pytest.mark.parametrize(
    ("language", "bone", "label"),
    [("fr", "Os : coude", "coude: anomalie"), ("es", "Hueso: codo", "codo: anomalía")],
)
def test_a_known_bone_is_shown_in_the_language_of_the_clinic(language: str, bone: str, label: str) -> None:
    say = open_catalogue(language)
    assert bone_words(make_entry(bone="elbow"), say) == bone
    assert label_words("elbow abnormal", say) == label


def test_the_bones_to_choose_from_are_the_models_in_its_order(manifest: Manifest) -> None:
    assert bones_of(cascade_manifest(manifest)) == ("elbow", "wrist")
    assert bones_of(manifest) == ()
    assert [bone_name(bone, open_catalogue("es")) for bone in ("elbow", "hip")] == ["codo", "hip"]
    assert len(bone_name("b" * 400, str)) == MAX_BONE


def test_another_bone_is_shown_as_the_model_calls_it_and_not_at_any_length() -> None:
    say = open_catalogue("fr")
    assert bone_words(make_entry(bone="hip"), say) == "Os : hip"
    assert label_words("hip abnormal", say) == "hip abnormal"
    assert len(bone_words(make_entry(bone="b" * 400), str)) <= len("Bone: ") + MAX_BONE
    assert bone_words(make_entry(bone=None), say) == ""


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("taken for: elbow (probability 0.97)", "pris pour : coude (probabilité 0.97)"),
        (
            "read as elbow, as you said; the model takes it for wrist (0.93)",
            "lu comme coude, comme vous l'avez dit ; le modèle le prend pour poignet (0.93)",
        ),
        (
            "it is not clear which bone this shows: elbow (0.48) or wrist (0.41)",
            "on ne voit pas clairement de quel os il s'agit : coude (0.48) ou poignet (0.41)",
        ),
        (
            "this does not look like the films that the model learned from: use an X-ray of a bone that it knows "
            "(elbow, wrist)",
            "cette image ne ressemble pas aux clichés dont le modèle a appris : utilisez une radiographie d'un os "
            "qu'il connaît (coude, poignet)",
        ),
    ],
)
def test_a_line_about_bones_is_translated_with_their_names(line: str, told: str) -> None:
    assert open_catalogue("fr")(line) == told
