"""What a run of the contract can be told, by the pytest plugin and by the command alike."""

from __future__ import annotations

from .results import REPORT_SUFFIXES

AWS = {
    "account": "the account id that the credentials have to be of",
    "region": "the region to run in",
    "prefix": "how the names of models begin",
    "role": "the role that models name; goes with the image",
    "image": "the image that models name; goes with the role",
    "rate": "how many calls a second are sent at the most, retries among them (4)",
}
"""What the target aws has to be told."""
ENDPOINTS = "let AWS_ENDPOINT_URL and its kind count for the target aws; such a run proves nothing about the real service"
TARGETS = "where checks run: fake (default), moto, endpoint=URL, recording=FILE, aws; several give one column each"
CHECK_OPTION = "run these contract checks alone; * stands for any characters"
RECORD = "record the answers of the target, without what tells whose account it is"
REDACT = "let tokens stand in reports for what tells whose account it is: accounts, names, roles, keys, addresses"
LEDGER_OPTION = "add what the real service passed to a ledger"
STALE = "run only the checks whose evidence in the ledger is older than that many days, or is not there"
REPORT_OPTION = f"write a report to a file: {', '.join(REPORT_SUFFIXES)}"
DRY_RUN = "list every request to the target aws with its operation and name, in order, and send none"
POLICY = "print the IAM policy that the run needs on the target aws, and send nothing"
VERBOSE = "tell every difference, not one example of each group"
