"""Short codes for the sentences that say why a film has the answer it has, or none, so that they can be counted."""

from collections.abc import Mapping
from typing import Final

OTHER: Final = "other"
ENDS_WORKER: Final = "ends_worker"
FAULT: Final = "fault"

ANSWERS: Final = {
    "is at or above the threshold": "threshold_reached",
    "is below the threshold": "below_threshold",
    "lies between": "abstain_band",
    "the model gave no number": "no_number",
    "it is not clear which bone this shows": "unclear_bone",
}
REJECTIONS: Final = {
    "too small:": "too_small",
    "not a radiograph: the file says modality": "modality",
    "a colour picture": "colour",
    "blank or nearly so": "blank",
    "a strip,": "strip",
    "a page of text": "text",
    "noise all over the picture": "noise",
    "far too dark": "dark",
    "a negative,": "negative",
    "over-exposed": "over_exposed",
    "compressed until its blocks show": "blocks",
    "the picture is blurred": "blurred",
    "a screenshot": "screenshot",
    "a white patch": "white_patch",
    "no knee joint was found": "no_knee",
    "this does not look like": "unfamiliar",
}
READ_ERRORS: Final = {
    "may not be read": "no_permission",
    "cannot be read (": "cannot_be_read",
}
"""What is wrong with the disk or the rights, and not with the file."""
UNREADABLE: Final = {
    **READ_ERRORS,
    "the file is empty": "empty",
    "files are not supported": "unsupported_format",
    "scans in one JPEG file": "unsupported_format",
    "not a PNG, JPEG, BMP, TIFF or DICOM file": "not_an_image",
    "is a folder": "folder",
    "not a file of at most": "file_too_large",
    "too small for a radiograph": "too_small",
    "too large (at most": "too_large",
    "breaks the image decoder": "breaks_decoder",
    "s to decode; ": "too_slow",
    "s of computing to decode": "too_slow",
    "MiB of memory to decode": "too_much_memory",
    "its decoding was killed twice": "too_much_memory",
    "inflates to more than": "inflates",
    "data are damaged or incomplete": "damaged",
    "holds no DICOM data": "damaged",
    "is missing or not a number": "damaged",
    "is a program or an archive": "program",
    "without complete pixel data": "no_pixels",
    "frames; export one radiograph": "several_frames",
    "pages; export one radiograph": "several_frames",
    "has neither 1 nor 3 samples": "samples",
    "TIFF samples of": "samples",
    "neither a grey nor a colour image": "samples",
    "compressed as": "compression",
}


def answer_code(sentence: str) -> str:
    """The code of why a model answered as it did.

    >>> answer_code("score 0.42 is below the threshold 0.50")
    'below_threshold'
    """
    return _code(sentence, ANSWERS)


def rejection_code(sentence: str) -> str:
    """The code of why the input gate refused a film.

    >>> rejection_code("blank or nearly so: there is almost no contrast")
    'blank'
    """
    return _code(sentence, REJECTIONS)


def error_code(sentence: str) -> str:
    """The code of why a file is no readable radiograph.

    >>> error_code("the file is empty; copy or export it again")
    'empty'
    """
    return _code(sentence, UNREADABLE)


def _code(sentence: str, codes: Mapping[str, str]) -> str:
    return next((code for words, code in codes.items() if words in sentence), OTHER)
