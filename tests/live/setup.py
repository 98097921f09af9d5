# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""setup - the settings, rules and places that the live tests give the agent."""
import json
import time

PLACES = """# what the documentation prefixes stand for
192.0.2.0/24,DE,DE
198.51.100.0/24,DE,DE
198.18.0.0/15,DE,DE
203.0.113.0/24,US,US
2001:db8:1::/48,DE,DE
2001:db8:2::/48,DE,DE
2001:db8:3::/48,US,US
"""

IDLE_S = 1


def rule_file(*rules):
    return json.dumps({
        "metadata": {"id": "live-tests", "version": "1", "jurisdiction": "EU"},
        "rules": list(rules)}, indent=1)


def rule(identity, action, match, level="low", event="flow"):
    return {"id": identity, "title": f"live test: {identity}", "status": "test", "level": level,
            "event": event, "match": match, "action": action}


RECORD = rule("record.all", "record", {"dst.ip": {"exists": True}}, "informational")
ALERT = rule("alert.away", "alert", {"dst.location_country": {"not_in": ["DE"]}, "role": {"eq": "client"}},
             "high")


def base(box, rules):
    """Settings of an agent that watches the sandbox and nothing else."""
    return {
        "node": "live", "scope": box.scope.path, "rules": box.write("rules.json", rules),
        "place.overrides": box.write("places.csv", PLACES),
        "place.as_public": "documentation",
        "nic.interfaces": "app0", "nic.netns": box.net.app_path,
        "flows.idle_s": IDLE_S,
    }


def recording(box, **more):
    """Every flow becomes an entry of its own, and none an alert, so that nothing folds."""
    return {**base(box, rule_file(RECORD)), "journal.flows": "each",
            **{key.replace("__", "."): value for key, value in more.items()}}


def alerting(box, **more):
    return {**base(box, rule_file(ALERT, RECORD)),
            **{key.replace("__", "."): value for key, value in more.items()}}


def let_idle():
    """Until datagram flows are closed for idleness."""
    time.sleep(IDLE_S * 2 + 1.5)
