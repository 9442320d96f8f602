"""Text on pictures: how wide it is, how it is drawn, and where its lines break."""

import numpy as np
import numpy.typing as npt

from osteo_edge.raster import fonts

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

text_width = fonts.text_width
draw_text = fonts.draw_text


def wrap(text: str, width: int, size: int, *, bold: bool = False) -> list[str]:
    """Break `text` at spaces, and words that are longer than a line anywhere, into lines of at most `width` pixels."""

    def fits(line: str) -> bool:
        return text_width(line, size, bold=bold) <= width

    lines: list[str] = []
    for word in text.split():
        if lines and fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
            continue
        lines.append(word)
        while len(lines[-1]) > 1 and not fits(lines[-1]):
            whole = lines.pop()
            kept = next(count for count in range(len(whole) - 1, 0, -1) if count == 1 or fits(whole[:count]))
            lines += [whole[:kept], whole[kept:]]
    return lines
