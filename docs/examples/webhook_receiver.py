"""A receiver that keeps who is in which cohort in SQLite: verifies, applies, answers. pip install standardwebhooks"""
import json, os, sqlite3
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
db = sqlite3.connect(os.environ.get("COPY_DB", "copy.db"), isolation_level=None)
db.execute("CREATE TABLE IF NOT EXISTS members (cohort TEXT, id TEXT, PRIMARY KEY (cohort, id))")
db.execute("CREATE TABLE IF NOT EXISTS taken (source TEXT PRIMARY KEY, last TEXT)")


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = webhook.verify(body, dict(self.headers))  # refuses old ones and forged ones
        except WebhookVerificationError:
            return self.answer(401)
        db.execute("BEGIN IMMEDIATE")
        last = db.execute("SELECT last FROM taken WHERE source = ?", [event["source"]]).fetchone()
        if event["type"] != "cohort-relay.test" and not (last and last[0] == event["id"]):
            apply(event)
            db.execute("REPLACE INTO taken VALUES (?, ?)", [event["source"], event["id"]])
        db.execute("COMMIT")
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def apply(event):
    rows = [(event.get("subject"), each["distinct_id"]) for each in event["data"].get("members", [])]
    if event["type"] == "cohort-relay.members.entered":
        db.executemany("INSERT OR IGNORE INTO members VALUES (?, ?)", rows)
    elif event["type"] == "cohort-relay.members.exited":
        db.executemany("DELETE FROM members WHERE cohort = ? AND id = ?", rows)
    elif event["type"] == "cohort-relay.person.erased":
        salt, digests = bytes.fromhex(event["data"]["salt"]), event["data"]["digests"]
        known = db.execute("SELECT DISTINCT id FROM members").fetchall()
        meant = [row for row in known if sha256(salt + row[0].encode()).hexdigest() in digests]
        db.executemany("DELETE FROM members WHERE id = ?", meant)
    elif event["type"] == "cohort-relay.gap":
        print("entries are missing: read the members anew", json.dumps(event["data"]))


HTTPServer(("127.0.0.1", int(os.environ.get("RECEIVER_PORT", "9000"))), Receiver).serve_forever()
