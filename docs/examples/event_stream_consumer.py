"""Follow the events of the relay's members, from where it was. pip install requests"""

import json
import os
import time
from pathlib import Path

import requests

URL = os.environ.get("RELAY_URL", "http://localhost:8000") + "/api/v1/events"
LAST = Path(os.environ.get("LAST_FILE", "last-event-id"))


def follow():
    """Yield (id, event) of one connection; an event is None where only the id has moved on."""
    headers = {"Authorization": f"Bearer {os.environ['API_TOKEN']}", "Accept": "text/event-stream"}
    if LAST.exists():
        headers["Last-Event-ID"] = LAST.read_text()
    # Something comes every 15 seconds, so that silence means that the connection is gone.
    with requests.get(URL, params={"types": "members.*"}, headers=headers, stream=True, timeout=45) as answer:
        answer.raise_for_status()
        block = {}
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line:
                name, _, value = line.partition(": ")
                block[name] = value
            elif "id" in block:
                yield block["id"], json.loads(block["data"]) if "data" in block else None
                block = {}
            else:
                block = {}


while True:
    try:
        for event_id, event in follow():
            if event:
                print(event["type"], event.get("subject"), len(event["data"].get("members", [])), flush=True)
            LAST.write_text(event_id)  # only now: what was not done to its end comes again
    except requests.RequestException as error:
        print(f"cut off: {type(error).__name__}", flush=True)
    time.sleep(3)
