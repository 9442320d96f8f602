"""`osteo-edge bench`: the command, what it measures, and the device card of what it found."""
