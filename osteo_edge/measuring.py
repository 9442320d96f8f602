"""Every measure of a model's answers, by the name that people read, with intervals that share their draws."""

from collections.abc import Callable

import numpy as np

from osteo_edge import metrics
from osteo_edge.answers import Answers, Bools
from osteo_edge.intervals import Estimate, as_share, estimate_many

Values = dict[str, float]


def measure_answers(answers: Answers, prevalence: float | None = None) -> tuple[dict[str, Estimate], tuple[str, ...]]:
    """Every measure with its 95 % interval and n, and the names of those to be read first, which come first.

    With a `prevalence`, between 0 and 1, the predictive values there too. Areas under the precision-recall curve and
    the specificity at a sensitivity pool the strata.
    """
    majority = int(np.bincount(answers.truth, minlength=len(answers.labels)).argmax())

    def values(sample: Answers) -> Values:
        return _headline(sample, majority) | _pooled(sample) | _by_label(sample)

    found = estimate_values(values, answers)
    first = {name: found[name] for name in _headline(answers, majority)}
    if prevalence is not None:
        first |= predictive_values(found["sensitivity"], found["specificity"], prevalence)
    return first | found, tuple(first)


def estimate_values(values: Callable[[Answers], Values], answers: Answers) -> dict[str, Estimate]:
    """What `values` says of the answers, with 95 % intervals that are all of one bootstrap over groups.

    A share (sensitivity, accuracy, ...) has as its n the cases that it is a share of. At 0 % and 100 % the bootstrap's
    interval would be a point: there it is Wilson's, for as many cases as there are groups. What the cases do not
    define, one class missing for instance, is NaN.
    """
    names = list(values(answers))
    found = estimate_many(lambda i: list(values(answers.take(i)).values()), answers.truth.size, groups=answers.groups)
    members = _members(answers)
    return {
        name: as_share(estimate, answers.groups[members[name]]) if name in members else estimate
        for name, estimate in zip(names, found, strict=True)
    }


def screening_values(answers: Answers) -> Values:
    """The AUROC of both questions, and what the decision at the threshold finds and spares."""
    positive, score = answers.asked(answers.positive_labels)
    referred = score >= answers.threshold
    areas = {
        f"AUROC {question.name}": metrics.auroc(*answers.asked(question.labels), answers.strata)
        for question in answers.questions
    }
    return areas | {
        "sensitivity": metrics.sensitivity(positive, referred),
        "specificity": metrics.specificity(positive, referred),
    }


def predictive_values(sensitivity: Estimate, specificity: Estimate, prevalence: float) -> dict[str, Estimate]:
    """PPV and NPV where `prevalence` of the people are positive.

    Their intervals are of the lower and of the upper ends of both intervals, and so rather too wide than too narrow.
    """
    ppv, npv = metrics.predictive_values(sensitivity.value, specificity.value, prevalence)
    lowest_ppv, lowest_npv = metrics.predictive_values(sensitivity.low, specificity.low, prevalence)
    highest_ppv, highest_npv = metrics.predictive_values(sensitivity.high, specificity.high, prevalence)
    n, where = sensitivity.n + specificity.n, f"at a prevalence of {prevalence:g}"
    return {
        f"PPV {where}": Estimate(ppv, lowest_ppv, highest_ppv, n),
        f"NPV {where}": Estimate(npv, lowest_npv, highest_npv, n),
    }


def _headline(answers: Answers, majority: int) -> Values:
    found, (positive, score) = screening_values(answers), answers.asked(answers.positive_labels)
    return found | {
        "specificity at 90 % sensitivity": metrics.specificity_at(positive, score, 0.9),
        "calibration error": metrics.calibration_error(positive, score),
        "balanced accuracy": metrics.balanced_accuracy(answers.truth, answers.predicted),
        "accuracy": metrics.share(answers.predicted == answers.truth),
        "accuracy of the majority class": metrics.share(answers.truth == majority),
    }


def _pooled(answers: Answers) -> Values:
    """What is one number for all labels, and needs more explaining than the headline."""
    positive, score = answers.asked(answers.positive_labels)
    areas = {f"AUPRC {question.name}": metrics.auprc(*answers.asked(question.labels)) for question in answers.questions}
    return areas | {
        "Brier score": metrics.brier(positive, score),
        "log loss": metrics.log_loss(answers.truth, answers.probabilities),
        "net benefit": metrics.net_benefit(positive, score, answers.threshold),
        "Cohen's kappa": metrics.cohen_kappa(answers.truth, answers.predicted),
    }


def _by_label(answers: Answers) -> Values:
    areas = {label: metrics.auroc(*answers.asked((label,)), answers.strata) for label in answers.labels}
    found = {f"AUROC {label}": area for label, area in areas.items()}
    found["AUROC, macro"] = float(np.mean(list(areas.values())))
    answered = (answers.truth, answers.predicted, len(answers.labels))
    by_name = {"precision": metrics.precision, "recall": metrics.recall, "F1": metrics.f1}
    for name, metric in by_name.items():
        found |= {
            f"{name} {label}": float(value) for label, value in zip(answers.labels, metric(*answered), strict=True)
        }
    return found | {"F1, macro": metrics.mean_of_known(metrics.f1(*answered))}


def _members(answers: Answers) -> dict[str, Bools]:
    """For the measures that are a share of cases: of which ones."""
    positive, _ = answers.asked(answers.positive_labels)
    everyone = np.ones_like(positive)
    found = {
        "sensitivity": positive,
        "specificity": ~positive,
        "specificity at 90 % sensitivity": ~positive,
        "accuracy": everyone,
        "accuracy of the majority class": everyone,
    }
    for number, label in enumerate(answers.labels):
        found |= {f"recall {label}": answers.truth == number, f"precision {label}": answers.predicted == number}
    return found
