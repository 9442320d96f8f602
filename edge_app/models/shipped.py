"""The bundle that the app itself comes with: taken over into the models once, so that another may be chosen.

models/shipped.json           which bundle of the app's own was taken over last; replaced in one step
"""

import json
from pathlib import Path
from typing import Final

from osteo_edge.durable import write_durably
from osteo_edge.edge_app.demo_bundle import FOLDER as DEMO_FOLDER
from osteo_edge.edge_app.models.description import describe
from osteo_edge.edge_app.models.store import DEMO, ModelStore

SHIPPED: Final = "shipped.json"
SCHEMA: Final = 1


def bring_shipped(store: ModelStore, shipped: Path, folder: Path) -> bool:
    """Install the bundle in `shipped` in the store of `folder`, unless it was before; whether it was done now.

    It is taken into use where nobody has chosen another one: at the first start in place of the demonstration, later,
    when the app comes with a newer one, in place of the one that the app came with before. What a clinic has taken out
    or replaced stays so. If the program is killed in the middle, the next start does the rest. Raises `BundleError` for
    a bundle that cannot be used here, and `OsteoEdgeError` for a disk that does not take it.
    """
    own = describe(shipped).id
    before = _brought(folder)
    if own == before:
        return False
    chosen = store.chosen()
    if own != describe(DEMO_FOLDER).id:
        store.install(shipped)
        if chosen == (DEMO if before is None else before):
            store.use(own)
    written = json.dumps({"schema": SCHEMA, "id": own}) + "\n"
    write_durably(folder / SHIPPED, written.encode(), "the app's own model")
    return True


def _brought(folder: Path) -> str | None:
    """The one that was taken over last; None for none, and where it cannot be read: then it is done again."""
    try:
        written = json.loads((folder / SHIPPED).read_bytes())
        return str(written["id"]) if written["schema"] == SCHEMA else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
