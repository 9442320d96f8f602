"""The languages of the app: gettext catalogues, and how a line made by the program finds its message in them."""
