"""The device services of Android, through its Java classes."""
