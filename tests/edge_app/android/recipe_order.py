"""Have python-for-android work out the order of the recipes for a staged project, and print it as JSON.

Run by itself, with the project's folder: its own graph decides, as it does before it fetches anything.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from buildozer.specparser import SpecParser
from pythonforandroid.bootstrap import Bootstrap
from pythonforandroid.build import Context
from pythonforandroid.graph import get_recipe_order_and_bootstrap
from pythonforandroid.recipe import Recipe


def main(project: Path) -> None:
    spec = SpecParser()
    spec.read(project / "buildozer.spec", "utf-8")
    context = Context()
    context.local_recipes = str(project / spec.get("app", "p4a.local_recipes"))
    context.recipe_build_order = []
    wanted = dict(line.partition("==")[::2] for line in spec.getlist("app", "requirements"))
    with contextlib.redirect_stdout(io.StringIO()):
        bootstrap = Bootstrap.get_bootstrap(spec.get("app", "p4a.bootstrap"), context)
        order, modules, _ = get_recipe_order_and_bootstrap(context, set(wanted), bootstrap)
        recipes = {name: Recipe.get_recipe(name, context) for name in order}
    found = {
        "requirements": wanted,
        "order": order,
        "modules": sorted(modules),
        "versions": {name: str(recipe.version) for name, recipe in recipes.items()},
        "folders": {name: recipe.get_recipe_dir() for name, recipe in recipes.items()},
        "kinds": {name: type(recipe).__name__ for name, recipe in recipes.items()},
        "missing_patches": [
            f"{name}: {patch}"
            for name, recipe in recipes.items()
            for patch in (each[0] if isinstance(each, tuple) else each for each in recipe.patches)
            if not (Path(recipe.get_recipe_dir()) / patch.format(version=recipe.version)).is_file()
        ],
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
