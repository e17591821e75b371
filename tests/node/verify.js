// Verify a message as a receiver in Node does. Standard input: {"secret", "headers", "body"} as JSON; standard output:
// what the message holds, as JSON, or the name of the error.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const { secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));
try {
  const message = new Webhook(secret).verify(body, headers);
  console.log(JSON.stringify({ type: message.type, id: message.id }));
} catch (error) {
  console.log(JSON.stringify({ error: error.constructor.name }));
}
