// The official TypeScript client for the tests: reads one call per line from standard input, writes its result to standard output.

import { createInterface } from "node:readline";
import { Novu } from "@novu/api";

// Every operation that the product serves, as a program would call it. `o` is the client's options for one call.
const CALLS = {
  "connections.create": (novu, { body, key }, o) => novu.channelConnections.create(body, key, o),
  "connections.list": (novu, { query }, o) => novu.channelConnections.list(query, o),
  "connections.retrieve": (novu, { identifier }, o) => novu.channelConnections.retrieve(identifier, undefined, o),
  "connections.update": (novu, { identifier, body, key }, o) => novu.channelConnections.update(body, identifier, key, o),
  "connections.delete": (novu, { identifier }, o) => novu.channelConnections.delete(identifier, undefined, o),

  "integrations.list": (novu, _, o) => novu.integrations.list(undefined, o),
  "integrations.list_active": (novu, _, o) => novu.integrations.listActive(undefined, o),
  "integrations.connect_url": (novu, { body, key }, o) => novu.integrations.generateConnectOAuthUrl(body, key, o),
  "integrations.chat_url": (novu, { body, key }, o) => novu.integrations.generateChatOAuthUrl(body, key, o),

  "contexts.create": (novu, { body, key }, o) => novu.contexts.create(body, key, o),
  "contexts.list": (novu, { query }, o) => novu.contexts.list(query, o),
  "contexts.retrieve": (novu, { kind, name }, o) => novu.contexts.retrieve(name, kind, undefined, o),
  "contexts.update": (novu, { kind, name, body }, o) =>
    novu.contexts.update({ type: kind, id: name, updateContextRequestDto: body }, o),
  "contexts.delete": (novu, { kind, name }, o) => novu.contexts.delete(name, kind, undefined, o),

  "subscribers.create": (novu, { body, strict, key }, o) => novu.subscribers.create(body, strict, key, o),
  "subscribers.search": (novu, { query }, o) => novu.subscribers.search(query, o),
  "subscribers.retrieve": (novu, { subscriber }, o) => novu.subscribers.retrieve(subscriber, undefined, o),
  "subscribers.patch": (novu, { subscriber, body }, o) => novu.subscribers.patch(body, subscriber, undefined, o),
  "subscribers.delete": (novu, { subscriber }, o) => novu.subscribers.delete(subscriber, undefined, o),

  "endpoints.create": (novu, { body, key }, o) => novu.channelEndpoints.create(body, key, o),
  "endpoints.list": (novu, { query }, o) => novu.channelEndpoints.list(query, o),
  "endpoints.retrieve": (novu, { identifier }, o) => novu.channelEndpoints.retrieve(identifier, undefined, o),
  "endpoints.update": (novu, { identifier, body }, o) => novu.channelEndpoints.update(body, identifier, undefined, o),
  "endpoints.delete": (novu, { identifier }, o) => novu.channelEndpoints.delete(identifier, undefined, o),
};

async function answer({ call, given, address, secret, headers }) {
  const novu = new Novu({ secretKey: secret, serverURL: address });
  try {
    const told = await CALLS[call](novu, given, { retries: { strategy: "none" }, headers });
    return { result: told?.result ?? null, headers: told?.headers ?? {} };
  } catch (refused) {
    const { name, message, statusCode: status, body } = refused;
    return { error: name, message, status, body, headers: Object.fromEntries(refused.headers ?? []) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
