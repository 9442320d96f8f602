"""fpdf2, which writes the PDF.

It requires Pillow, which has a recipe and no wheel that would do: python-for-android's resolver gives up on it, and
then installs only what is named. As a recipe it is installed without being resolved.
"""

from pythonforandroid.recipe import PyProjectRecipe


class Fpdf2Recipe(PyProjectRecipe):  # type: ignore[misc]
    """The wheel from the index, or else built from its source."""

    version = "@FPDF2@"
    url = "https://files.pythonhosted.org/packages/source/f/fpdf2/fpdf2-{version}.tar.gz"
    site_packages_name = "fpdf"
    depends = ["Pillow", "fonttools"]  # noqa: RUF012


recipe = Fpdf2Recipe()
