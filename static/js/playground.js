// Playground: create a session for the card or the link, and list the events.
"use strict";

const stage = document.querySelector("[data-kind]");
const log = document.querySelector(".playground-events");
const empty = document.querySelector(".playground-empty");
const note = document.querySelector(".playground-note");

function write(type, detail) {
  const entry = document.createElement("li");
  const name = document.createElement("strong");
  const members = document.createElement("pre");
  name.textContent = type;
  members.textContent = JSON.stringify(detail, null, 2);
  entry.append(name, members);
  log.prepend(entry);
  empty.hidden = true;
  if (detail.connection) showConnection(detail.connection);
}

function showConnection({ identifier }) {
  const link = document.createElement("a");
  link.href = `/connections/${encodeURIComponent(identifier)}`;
  link.textContent = "See the connection";
  note.replaceChildren(link, ". To start again, disconnect it there, or choose another subscriber.");
}

async function createSession() {
  const { sessionUrl, csrfToken } = stage.dataset;
  const response = await fetch(sessionUrl, { method: "POST", headers: { "X-CSRFToken": csrfToken } });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

async function show() {
  const control = stage.querySelector("iframe, a");
  if (!control) return;
  try {
    const { id, token, url } = await createSession();
    if (stage.dataset.kind === "card") control.src = `/embed/card?session=${id}${stage.dataset.query}#${token}`;
    else control.href = url;
  } catch {
    note.textContent = "The server created no session. Reload the page and try again.";
  }
}

if (stage) {
  for (const type of ["connected", "cancelled", "failed", "statechange"]) {
    stage.addEventListener(type, ({ detail }) => write(type, detail));
  }
  addEventListener("message", ({ origin, source, data }) => {
    const isCard = origin === location.origin && source === stage.querySelector("iframe")?.contentWindow;
    if (isCard && data?.type?.startsWith("slack-connect:")) write(data.type.slice("slack-connect:".length), data.detail);
  });
  show();
}
