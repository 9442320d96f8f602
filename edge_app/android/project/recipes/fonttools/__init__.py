"""fontTools, which the PDF needs, from its pure-Python wheel.

Python-for-android installs what has no recipe as for the machine that builds: libraries for x86_64 would come along,
and the build would fail (fonttools/fonttools#3192). A recipe of this kind asks the index for Android, and gets the pure
one.
"""

from pythonforandroid.recipe import PyProjectRecipe


class FontToolsRecipe(PyProjectRecipe):  # type: ignore[misc]
    """The wheel from the index, or else built from its source without its optional C parts."""

    version = "@FONTTOOLS@"
    url = "https://files.pythonhosted.org/packages/source/f/fonttools/fonttools-{version}.tar.gz"
    site_packages_name = "fontTools"


recipe = FontToolsRecipe()
