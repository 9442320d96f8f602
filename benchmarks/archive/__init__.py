"""How archives are screened: by how many workers, how fast, with how much memory, and what a cluster would take."""
