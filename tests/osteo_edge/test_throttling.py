import pytest

from osteo_edge.throttling import describe_throttling, throttled_meanwhile


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("throttled=0x0", ()),
        ("throttled=0x8", ("soft temperature limit now",)),
        ("throttled=0xe0000", ("clock capped since boot", "throttled since boot", "soft temperature limit since boot")),
        ("VCHI initialization failed", ()),
    ],
)
def test_the_flags_of_the_firmware_are_put_in_words(answer: str, words: tuple[str, ...]) -> None:
    assert describe_throttling(answer) == words


def test_what_is_so_during_a_measurement_counts_and_what_was_long_ago_does_not() -> None:
    long_ago = ("under-voltage since boot", "core throttled 3 times since boot")
    assert throttled_meanwhile(long_ago, long_ago) == ()
    again = ("core throttled 4 times since boot",)
    assert throttled_meanwhile(long_ago, again) == again
    assert throttled_meanwhile(("throttled now", *long_ago), long_ago) == ("throttled now",)
