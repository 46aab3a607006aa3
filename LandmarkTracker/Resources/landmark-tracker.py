"""The command `landmark-tracker` without installing it, in Slicer or in any Python that has what it needs.

    Slicer --no-splash --no-main-window --python-script landmark-tracker.py batch FOLDER --output DIR
    python landmark-tracker.py batch FOLDER --output DIR

Arguments and exit codes are the same.
"""

import pathlib
import sys


def main() -> int:
    """Run the command line on the arguments after the script's name."""
    # The library lies beside Resources/, in the source tree and in the installed extension.
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    from LandmarkTrackerLib.cli.main import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
