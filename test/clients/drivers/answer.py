"""What every driver shares: one JSON object comes in as the only argument, one goes out as the last line."""

import asyncio
import json
import sys


def run(actions):
    wish = json.loads(sys.argv[1])
    answer = asyncio.run(actions[wish.pop("action")](**wish))
    print(json.dumps(answer))
