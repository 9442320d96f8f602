import pytest

from osteo_edge.errors import MissingExtraError
from osteo_edge.extras import load_extra


def test_modules_come_in_the_order_asked_for() -> None:
    json, csv = load_extra(("json", "csv"), feature="tests", package="Python", extra="none")
    assert (json.__name__, csv.__name__) == ("json", "csv")


def test_a_missing_package_is_named_with_what_to_install() -> None:
    with pytest.raises(MissingExtraError) as caught:
        load_extra(("no_such_module",), feature="training", package="TensorFlow", extra="train")
    assert str(caught.value) == "training needs TensorFlow: pip install 'osteo-edge[train]'"
