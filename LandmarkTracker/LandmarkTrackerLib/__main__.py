"""`python -m LandmarkTrackerLib` is `landmark-tracker`."""

import sys

from LandmarkTrackerLib.cli.main import main

sys.exit(main())
