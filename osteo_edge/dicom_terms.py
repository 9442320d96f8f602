"""DICOM's coded words: what else stands in their place could be a name, and is neither kept nor said."""

from typing import Final

TERMS: Final = {
    "PhotometricInterpretation": (
        *("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB"),
        *("YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT"),
    ),
    "VOILUTFunction": ("LINEAR", "LINEAR_EXACT", "SIGMOID"),
    "Modality": (
        *("CR", "DX", "RG", "RF", "OT", "SC", "CT", "MR", "NM", "PT", "US", "XA", "MG", "PX", "IO", "DG", "BMD"),
        *("ES", "XC", "GM", "SM", "OP", "OPT", "HC", "DOC", "RTIMAGE", "RTDOSE", "SEG", "BI", "TG"),
    ),
    "BodyPartExamined": (
        *("KNEE", "PATELLA", "LEG", "FEMUR", "TIBIA", "LOWERLEG", "FOOT", "ANKLE", "HIP", "PELVIS", "EXTREMITY"),
        *("HAND", "WRIST", "FINGER", "FOREARM", "ELBOW", "HUMERUS", "SHOULDER", "SPINE", "CSPINE", "LSPINE", "CHEST"),
    ),
    "ViewPosition": ("AP", "PA", "LL", "RL", "LLD", "RLD", "LLO", "RLO"),
    "ImageLaterality": ("L", "R", "B", "U"),
    "BurnedInAnnotation": ("YES", "NO"),
    "LossyImageCompression": ("00", "01"),
}
"""Kept where they are one of these: a name may stand in any other."""
IN_PLACE_OF_OTHERS: Final = {"Modality": "UNKNOWN", "VOILUTFunction": "LINEAR_EXACT"}
"""For a term that the screening goes by, so that it goes by the same."""


def known_term(keyword: str, value: object) -> str | None:
    """A term of the standard as it is; for another one what may be said in its place, None if that is nothing.

    >>> known_term("Modality", "DX"), known_term("Modality", "LOPEZ"), known_term("ViewPosition", "LOPEZ")
    ('DX', 'UNKNOWN', None)
    """
    term = str(value or "").strip()
    if not term or term in TERMS[keyword]:
        return term or None
    return IN_PLACE_OF_OTHERS.get(keyword)
