"""On a Raspberry Pi: the kit that installs the program without a network, updates, services and what they need."""
