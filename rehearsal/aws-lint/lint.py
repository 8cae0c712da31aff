"""Checks resources against the data that AWS publishes, by cfn-lint, whose maintainer is AWS.

Reads one request a line, {"id", "region", "type", "properties"}, and answers with one line, {"id", "findings"}. One
process serves many requests, as it takes two seconds to load the rules and some hundredths for each check.
"""

import json
import logging
import sys

from cfnlint.config import ConfigMixIn
from cfnlint.core import get_rules
from cfnlint.decode.decode import decode_str
from cfnlint.runner import run_template_by_data

# Errors, and W3037, which knows the actions of each service. Of one resource alone, a template's other errors say
# nothing: E3002 and E3003 are of properties that a part of a resource hasn't got.
RULES = get_rules([], ["E3003", "E3019"], ["E3", "E1", "W3037"])
WARNINGS = {"W3037"}


def findings(request):
    resource = {"Type": request["type"], "Properties": request["properties"]}
    template, errors = decode_str(json.dumps({"Resources": {"R": resource}}))
    matches = errors or run_template_by_data(template, ConfigMixIn(regions=[request["region"]]), RULES)
    for match in matches:
        rule = match.rule.id
        if not rule.startswith("E") and rule not in WARNINGS:
            continue
        path = [part for part in (match.path or [])][3:]
        message = match.message if len(match.message) <= 400 else match.message[:400] + "…"
        yield {"rule": rule, "path": [part if isinstance(part, int) else str(part) for part in path], "message": message}


def main():
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"findings": list(findings(request))}
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"id": request["id"], **answer}), flush=True)


main()
