"""The version, in one place: setup.cfg reads it from here; and its date, before which no clock can be right."""

VERSION = "0.1.0"
RELEASED = "2026-11-21"
