"""Two nodes of Ray on the loopback device, as `python -m`: prints the address, and does what it is told, a word a line.

"kill" ends the other node as a power cut would; the end of its input ends them all.
"""

import sys

from ray.cluster_utils import Cluster

NODE = {
    "num_cpus": 1,
    "memory": 4 * 2**30,
    "object_store_memory": 80 * 2**20,
    "node_ip_address": "127.0.0.1",
    "include_dashboard": False,
}


def main() -> None:
    """A head, which outlives what is done to it, and another node."""
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    other = cluster.add_node(**NODE)
    cluster.wait_for_nodes()
    tell(cluster.address)
    for word in sys.stdin:
        if word.strip() == "kill":
            cluster.remove_node(other, allow_graceful=False)
            tell("killed")
    cluster.shutdown()


def tell(line: str) -> None:
    """Say a line to whoever has started this."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
