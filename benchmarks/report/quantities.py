"""Measured quantities as text: as many digits as they carry, with their unit."""

import math

from osteo_edge.intervals import Estimate

DASH = "–"
SPACE = "\N{NO-BREAK SPACE}"
MB = 1_000_000
UNITS = ((1e9, "GB"), (MB, "MB"), (1e3, "kB"))
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
MOST_DECIMALS = 4
SMALLEST_SHARE = 0.001


def three_digits(value: float) -> str:
    """A number in full, all digits before the point: never as a power of ten, as `:.3g` gives from 999.5 on.

    >>> three_digits(4.1234), three_digits(0.5), three_digits(999.7)
    ('4.12', '0.500', '1000')
    """
    return f"{value:.{_decimals(value)}f}"


def milliseconds(value: float) -> str:
    """Three digits.

    >>> milliseconds(4.1234), milliseconds(123.4), milliseconds(0.01234)
    ('4.12\\xa0ms', '123\\xa0ms', '0.0123\\xa0ms')
    """
    return f"{three_digits(value)}{SPACE}ms"


def milliseconds_with_interval(found: Estimate) -> str:
    """A median with its interval, all with the digits that its width warrants.

    >>> milliseconds_with_interval(Estimate(4.1234, 4.1201, 4.1289, 1024))
    '4.123 [4.120,\\xa04.129]\\xa0ms'
    """
    return f"{with_interval(found)}{SPACE}ms"


def with_interval(found: Estimate) -> str:
    """A value with its interval, without unit: three digits, or four where the interval is that narrow."""
    decimals = _decimals(found.value)
    if 0 < found.high - found.low < 10.0 ** (1 - decimals):
        decimals = min(decimals + 1, MOST_DECIMALS)
    return _bracketed(found, f".{decimals}f")


def duration(value_ms: float) -> str:
    """A time in the words of somebody who waits for it.

    >>> duration(4.1), duration(99.7), duration(850.0), duration(12_345.0), duration(1_234_567.0)
    ('4.1\\xa0milliseconds', '100\\xa0milliseconds', '0.85\\xa0seconds', '12.3\\xa0seconds', '1235\\xa0seconds')
    """
    if value_ms >= 200:
        return f"{_plain(value_ms / 1000, 3)}{SPACE}seconds"
    return f"{_plain(value_ms, 2)}{SPACE}milliseconds"


def size(value_bytes: float) -> str:
    """Three digits of GB, MB or kB, which are powers of a thousand bytes.

    >>> size(2_470_123), size(12_345), size(123_456_789), size(25_277_000_000)
    ('2.47\\xa0MB', '12.3\\xa0kB', '123\\xa0MB', '25.3\\xa0GB')
    """
    unit, name = next(((unit, name) for unit, name in UNITS if abs(value_bytes) >= unit), UNITS[-1])
    amount = value_bytes / unit
    return f"{amount:.{_decimals(amount)}f}{SPACE}{name}"


def count(number: float) -> str:
    """Three digits and a prefix.

    >>> count(300_774_272), count(2_257_984), count(812)
    ('301\\xa0M', '2.26\\xa0M', '812')
    """
    for factor, prefix in PREFIXES:
        if number >= factor:
            amount = number / factor
            return f"{amount:.{_decimals(amount)}f}{SPACE}{prefix}"
    return f"{number:.0f}"


def percent(share: float) -> str:
    """A share from 0 to 1 with one decimal; 100 % only where nothing is missing, 0 % only where nothing is there.

    >>> percent(0.9934), percent(1.0), percent(0.9999), percent(0.0)
    ('99.3\\xa0%', '100\\xa0%', 'over 99.9\\xa0%', '0\\xa0%')
    """
    if share in (0.0, 1.0):
        return f"{100 * share:.0f}{SPACE}%"
    if share < SMALLEST_SHARE:
        return f"under {100 * SMALLEST_SHARE:.1f}{SPACE}%"
    if share > 1 - SMALLEST_SHARE:
        return f"over {100 * (1 - SMALLEST_SHARE):.1f}{SPACE}%"
    return f"{100 * share:.1f}{SPACE}%"


def percent_with_interval(found: Estimate) -> str:
    """A share with its interval, in percent."""
    in_percent = Estimate(100 * found.value, 100 * found.low, 100 * found.high, found.n)
    return f"{_bracketed(in_percent, '.1f')}{'' if math.isnan(found.value) else SPACE + '%'}"


def score(found: Estimate) -> str:
    """An AUROC or another measure of quality with its interval."""
    return _bracketed(found, ".3f")


def change(found: Estimate) -> str:
    """A difference, signed, with its interval."""
    return _bracketed(found, "+.3f")


def optional_size(amount: int | None) -> str:
    """A size, or a dash where it is not known."""
    return DASH if amount is None else size(amount)


def optional(value: float | None, form: str, unit: str = "") -> str:
    """A number in the form given, or a dash where it is not known."""
    return DASH if value is None else f"{value:{form}}{unit}"


def listed(words: list[str]) -> str:
    """Words as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _bracketed(found: Estimate, form: str) -> str:
    """A dash for what is not defined; no brackets where there is no interval."""
    if math.isnan(found.value):
        return DASH
    if math.isnan(found.low) or math.isnan(found.high):
        return f"{found.value:{form}}"
    return f"{found.value:{form}} [{found.low:{form}},{SPACE}{found.high:{form}}]"


def _plain(value: float, digits: int) -> str:
    """So many digits without noughts at the end, or the whole number if that has more."""
    return f"{value:.{digits}g}" if abs(value) < 10**digits - 0.5 else f"{value:.0f}"


def _decimals(value: float) -> int:
    """So many that three digits are shown."""
    if value == 0 or not math.isfinite(value):
        return 0
    return min(max(2 - math.floor(math.log10(abs(value))), 0), MOST_DECIMALS)
