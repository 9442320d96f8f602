import signal
import threading
import weakref
from collections.abc import Iterator

import pytest

from osteo_edge.console import progress
from osteo_edge.interruption import interruption_noted, interruption_taken, raise_lost_interruption


class Dying:
    """An object whose end is told to a callback, where Python drops whatever is raised."""


def lose_ctrl_c() -> None:
    dying = Dying()
    watcher = weakref.ref(dying, lambda _: signal.raise_signal(signal.SIGINT))
    del dying
    assert watcher() is None


@pytest.fixture(autouse=True)
def usual_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_that_python_dropped_ends_the_work_at_its_next_report() -> None:
    with interruption_noted(), progress("working") as advance:
        advance(1, 3)
        lose_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            advance(2, 3)
        advance(3, 3)


def test_a_ctrl_c_is_raised_where_it_comes() -> None:
    with pytest.raises(KeyboardInterrupt), interruption_noted():
        signal.raise_signal(signal.SIGINT)
    raise_lost_interruption()


def test_one_that_was_caught_is_not_raised_again() -> None:
    with interruption_noted():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        interruption_taken()
        raise_lost_interruption()


def test_a_program_that_ignores_ctrl_c_goes_on_to_do_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interruption_noted():
        signal.raise_signal(signal.SIGINT)
        raise_lost_interruption()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_thread_beside_the_main_one_leaves_the_handler_alone() -> None:
    seen = []

    def work() -> None:
        with interruption_noted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
