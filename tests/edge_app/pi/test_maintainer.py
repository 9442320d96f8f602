import pytest

from osteo_edge.edge_app.pi.maintainer import find_maintainer
from osteo_edge.errors import OsteoEdgeError

BY_DEBIAN = {"DEBFULLNAME": "Clinic Kigoma", "DEBEMAIL": "it@clinic.example"}


def test_what_is_given_counts_before_the_environment() -> None:
    assert find_maintainer("Jane Roe <jane@clinic.example>", BY_DEBIAN) == "Jane Roe <jane@clinic.example>"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (BY_DEBIAN, "Clinic Kigoma <it@clinic.example>"),
        ({"DEBEMAIL": "Jane Roe <jane@clinic.example>"}, "Jane Roe <jane@clinic.example>"),
        (BY_DEBIAN | {"DEBEMAIL": "Jane Roe <jane@clinic.example>"}, "Clinic Kigoma <jane@clinic.example>"),
        ({"DEBFULLNAME": "Clínica São José", "DEBEMAIL": "it@clinic.example"}, "Clínica São José <it@clinic.example>"),
    ],
)
def test_the_environment_is_read_as_debian_s_tools_read_it(environment: dict[str, str], expected: str) -> None:
    assert find_maintainer(None, environment) == expected


@pytest.mark.parametrize("environment", [{}, {"DEBEMAIL": ""}, {"DEBFULLNAME": "Jane Roe"}])
def test_a_package_of_nobody_s_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(OsteoEdgeError, match=r"give --maintainer 'NAME <ADDRESS>', or set DEBFULLNAME and DEBEMAIL"):
        find_maintainer(None, environment)


@pytest.mark.parametrize(
    "given",
    [
        *("Jane Roe", "jane@clinic.example", "Jane <jane>", "Jane <jane@host>", "Jane <jane@clinic.>", "<a@b.c>"),
        *("Jane <a@b.c>, Joe <b@b.c>", "Jane\nPriority: required <a@b.c>", "Jane <a@b.c\nX: y>", '"Roe, Jane" <a@b.c>'),
    ],
)
def test_what_would_not_be_one_name_and_one_address_is_refused(given: str) -> None:
    with pytest.raises(OsteoEdgeError, match="is no maintainer of a package"):
        find_maintainer(given, {})


def test_a_name_of_the_environment_alone_is_no_address() -> None:
    with pytest.raises(OsteoEdgeError, match="is no maintainer"):
        find_maintainer(None, {"DEBEMAIL": "jane@clinic.example"})
