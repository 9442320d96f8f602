"""`python -m osteo_edge`, for where the command `osteo-edge` is not on the path."""

from osteo_edge.cli import main

if __name__ == "__main__":
    main()
