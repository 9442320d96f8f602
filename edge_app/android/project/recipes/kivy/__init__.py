"""Kivy as python-for-android builds it, without the packages that it needs to fetch from the web only.

One of them, charset-normalizer, is what every default build stumbles over (kivy/buildozer#2051).
"""

from pathlib import Path

import pythonforandroid
from pythonforandroid.recipes.kivy import KivyRecipe


class OfflineKivyRecipe(KivyRecipe):  # type: ignore[misc]
    """Python-for-android's own recipe, its patches too."""

    python_depends = ()  # filetype is named in buildozer.spec

    def get_recipe_dir(self) -> str:
        """Where the patches lie."""
        return str(Path(pythonforandroid.__file__).parent / "recipes" / KivyRecipe.name)


recipe = OfflineKivyRecipe()
