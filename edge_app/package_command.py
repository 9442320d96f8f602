"""`osteo-edge package`: program and model in a folder, for a device that has neither."""

import click

from osteo_edge.edge_app.android.package_command import android
from osteo_edge.edge_app.pi.package_command import pi
from osteo_edge.edge_app.web.package_command import web


@click.group("package", short_help="Pack program and model for a device.")
def package() -> None:
    """Pack the program and a model for a device: a Raspberry Pi, an Android phone, or any browser."""


package.add_command(pi)
package.add_command(android)
package.add_command(web)
