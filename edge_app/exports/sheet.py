"""An A4 sheet that is filled from the top: text, cells, pictures, and the marks of an outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont

from osteo_edge.edge_app.exports.marks import FAINT, INK, Bar, Colour, draw_bar, draw_symbol
from osteo_edge.lettering import Picture
from osteo_edge.raster import codec
from osteo_edge.wording import Outcome

HEIGHT_MM: Final = 297.0
WIDTH_MM: Final = 210.0
MARGIN_MM: Final = 14.0
INSET_MM: Final = 3.0
COLUMN_GAP_MM: Final = 3.0
ROOM_MM: Final = WIDTH_MM - 2 * MARGIN_MM
POINT_MM: Final = 25.4 / 72
LEADING: Final = 1.28
JPEG_QUALITY: Final = 92
FONT: Final = "dejavu"
FONTS: Final = Path(__file__).with_name("fonts")

LINE: Colour = (190, 190, 190)
WARNING: Colour = (170, 30, 30)


@dataclass(frozen=True)
class Cell:
    """A small title and what stands below it, in a part of the sheet's width."""

    title: str
    words: str
    share: float


class Sheet:
    """One page; `bottom` is how far it is filled, in mm from the top, and grows past the page when it is too full.

    `scale` makes all text smaller. Letters that the font does not have are shown as "?".
    """

    def __init__(self, *, scale: float, title: str, software: str, language: str) -> None:
        self.scale, self.bottom = scale, MARGIN_MM
        self._pdf = FPDF(format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.alias_nb_pages("")  # a note may well contain "{nb}"
        self._pdf.set_margin(0)
        self._pdf.c_margin = 0
        self._pdf.set_title(title)
        self._pdf.set_creator(software)
        self._pdf.set_lang(language)
        self._pdf.add_font(FONT, "", FONTS / "DejaVuSansCondensed.ttf")
        self._pdf.add_font(FONT, "B", FONTS / "DejaVuSansCondensed-Bold.ttf")
        self._pdf.add_page()

    @property
    def left_mm(self) -> float:
        """The height that is left above the lower margin; negative when the page is too full."""
        return HEIGHT_MM - MARGIN_MM - self.bottom

    def to_bytes(self) -> bytes:
        return bytes(self._pdf.output())

    def close(self) -> None:
        """Close the files of the fonts, which a sheet that never became a file would leave open."""
        for font in self._fonts():
            font.close()

    def text(
        self,
        words: str,
        size: float,
        *,
        bold: bool = False,
        colour: Colour = INK,
        left: float = MARGIN_MM,
        width: float = ROOM_MM,
    ) -> None:
        """A paragraph, wrapped to `width` mm; `size` is in points before scaling."""
        self._style(size, bold, colour)
        self._pdf.set_xy(left, self.bottom)
        self._pdf.multi_cell(width, self._line_height(size), self._known(words), align="L")
        self.bottom = self._pdf.get_y()

    def gap(self, height: float) -> None:
        self.bottom += height * self.scale

    def rule(self) -> None:
        """A thin line across the sheet, with a little room around it."""
        self.gap(1.6)
        self._pdf.set_draw_color(*LINE)
        self._pdf.set_line_width(0.25)
        self._pdf.line(MARGIN_MM, self.bottom, WIDTH_MM - MARGIN_MM, self.bottom)
        self.gap(2.0)

    def cells(self, row: Sequence[Cell], *, size: float = 9.5) -> None:
        """A row of titled values; as high as the longest of them."""
        top, left, lowest = self.bottom, MARGIN_MM, self.bottom
        for cell in row:
            width = ROOM_MM * cell.share
            self.bottom = top
            self.text(cell.title, 7, colour=FAINT, left=left, width=width - COLUMN_GAP_MM)
            self.text(cell.words, size, left=left, width=width - COLUMN_GAP_MM)
            lowest, left = max(lowest, self.bottom), left + width
        self.bottom = lowest

    def pictures(self, pictures: Sequence[tuple[Picture, str]], height: float) -> None:
        """Pictures side by side, each with its caption; `height` mm at most without captions, and the aspect is kept.

        With no height there is nothing but the captions.
        """
        step = (ROOM_MM + COLUMN_GAP_MM) / len(pictures)
        width = step - COLUMN_GAP_MM
        used = max(min(height, width * picture.shape[0] / picture.shape[1]) for picture, _ in pictures)
        top, lowest = self.bottom, self.bottom
        for number, (picture, caption) in enumerate(pictures):
            left = MARGIN_MM + number * step
            if used > 0:
                self._picture(picture, left, top, width, used)
            self.bottom = top + used + 1
            self.text(caption, 7, colour=FAINT, left=left, width=width)
            lowest = max(lowest, self.bottom)
        self.bottom = lowest

    def ramp(self, colours: Picture, weak: str, strong: str) -> None:
        """A scale of colours between two texts, all on one line."""
        line = self._line_height(7)
        height, left = line * 0.7, self._words(weak, MARGIN_MM) + 2
        width = height * colours.shape[1] / colours.shape[0]
        self._picture(colours, left, self.bottom + line * 0.15, width, height)
        self._words(strong, left + width + 2)
        self.bottom += line

    def symbol(self, outcome: Outcome, size: float) -> None:
        """The outcome's symbol at the left, `size` mm wide; what stands beside it is set after."""
        draw_symbol(self._pdf, outcome, MARGIN_MM + INSET_MM, self.bottom, size * self.scale)

    def bar(self, score: float, threshold: float, band: tuple[float, float] | None, outcome: Outcome) -> None:
        """A probability in [0, 1] as a bar over the whole width, with the operating point and the uncertain band."""
        self.bottom = draw_bar(self._pdf, Bar(score, threshold, band, outcome), MARGIN_MM, self.bottom, ROOM_MM)

    def framed(self, top: float, colour: Colour) -> None:
        """A frame around what was set since `top`, over the whole width."""
        self._pdf.set_draw_color(*colour)
        self._pdf.set_line_width(0.7)
        self._pdf.rect(MARGIN_MM, top, ROOM_MM, self.bottom - top)

    def _picture(self, picture: Picture, left: float, top: float, width: float, height: float) -> None:
        """Encode a picture, and set it in the middle of a room of `width` x `height` mm."""
        rows, columns = picture.shape[:2]
        factor = min(width / columns, height / rows)
        data = codec.encode_jpeg(picture, JPEG_QUALITY)
        across, down = columns * factor, rows * factor
        self._pdf.image(data, left + (width - across) / 2, top + (height - down) / 2, across, down)

    def _words(self, words: str, left: float) -> float:
        """Set small words on the present line, which goes on; where they end, in mm."""
        self._style(7, False, FAINT)
        self._pdf.set_xy(left, self.bottom)
        self._pdf.cell(None, self._line_height(7), self._known(words))
        return self._pdf.get_x()

    def _style(self, size: float, bold: bool, colour: Colour) -> None:
        self._pdf.set_font(FONT, "B" if bold else "", size * self.scale)
        self._pdf.set_text_color(*colour)

    def _line_height(self, size: float) -> float:
        return size * self.scale * POINT_MM * LEADING

    def _known(self, words: str) -> str:
        """The words on one line, with "?" for each letter that the fonts lack."""
        line = " ".join(words.split())
        known = [font.cmap.keys() for font in self._fonts()]
        return "".join(letter if all(ord(letter) in letters for letters in known) else "?" for letter in line)

    def _fonts(self) -> list[TTFFont]:
        return [font for font in self._pdf.fonts.values() if isinstance(font, TTFFont)]
