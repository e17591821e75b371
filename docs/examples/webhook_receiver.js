// A receiver in Node: verifies, prints, answers. npm install standardwebhooks
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString("utf8"); // as it came: parsed and written anew it would not verify
  let event;
  try {
    event = webhook.verify(body, request.headers);
  } catch {
    return response.writeHead(401).end();
  }
  console.log(event.id, event.type, event.data.members?.length ?? "");
  response.writeHead(204).end();
}).listen(9001, "127.0.0.1");
