"""What a user can mend: each error is one line that names the thing, says what is wrong and what to do."""


class OsteoEdgeError(Exception):
    """Something that the user can put right; the command line prints it as one line and exits with 1."""


class RadiographError(OsteoEdgeError):
    """An image file that cannot be read as a radiograph."""


class DatasetError(OsteoEdgeError):
    """A data set or split file that cannot be used as it is."""


class BundleError(OsteoEdgeError):
    """A bundle that is missing, altered, or not what its manifest says."""


class MissingExtraError(OsteoEdgeError):
    """A feature whose optional packages are not installed."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(f"{feature} needs {package}: pip install 'osteo-edge[{extra}]'")
