"""``python -m tests.campaign --seed N --actions K``: one campaign, its report as JSON at the end."""

from __future__ import annotations

import argparse

import msgspec

from tests.campaign.actions import say
from tests.campaign.campaign import ROUND, campaign

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--actions", type=int, default=1000)
parser.add_argument("--round", type=int, default=ROUND, help="actions between two rests")
given = parser.parse_args()
report = campaign(given.seed, given.actions, rounds_of=given.round)
say(msgspec.json.format(msgspec.json.encode(report)).decode())
