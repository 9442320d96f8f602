"""The window of the app, in Kivy: one module and one .kv file a screen; what a screen does lies outside of it."""
