"""Write the versions of pip's installation report as constraints: `python constraints.py REPORT.json`."""

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
packages = [package["metadata"] for package in report["install"]]
print("# Versions that were tested together; renewed by: make constraints")
for package in sorted(packages, key=lambda package: package["name"].lower()):
    if package["name"] != "landmark-tracker":
        print(f"{package['name']}=={package['version']}")
