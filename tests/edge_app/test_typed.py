import doctest

from osteo_edge.edge_app import typed


def test_the_examples_hold() -> None:
    assert doctest.testmod(typed) == (0, 2)
