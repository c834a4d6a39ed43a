"""Prints which Python distributions the interpreter that runs this finds, as JSON.

The JSON holds the normalised name (PEP 503) and the version.

Run while the image is built, by the interpreter of the scripts. The chart ships a copy: packages in
it need no approval.
"""

import json
import re
import sys
from importlib.metadata import distributions

found = {re.sub("[-_.]+", "-", each.name).lower(): each.version for each in distributions()}
json.dump(dict(sorted(found.items())), sys.stdout, indent=2)
sys.stdout.write("\n")
