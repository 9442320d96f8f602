"""What it costs to read films the other way: without OpenCV, or in a process apart."""
