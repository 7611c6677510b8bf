// The card: show <slack-connect> for the token in the fragment, or for one that the page around the card sends, and pass the
// element's events on to that page. The response's frame-ancestors allow only pages of allowed sites.
"use strict";

const LINES = {
  en: {
    disconnected: "Get updates in your Slack workspace.",
    waiting: "Continue in the window that opened.",
    blocked: "Your browser blocked the window.",
    approval: "Nothing is connected until your admin approves.",
    connected: "Updates can reach this workspace.",
    attention: "Reconnect to keep getting updates.",
    error: "Nothing was connected.",
    expired: "Reload this page to see whether Slack is connected.",
  },
  de: {
    disconnected: "Erhalten Sie Neuigkeiten in Ihrem Slack-Workspace.",
    waiting: "Fahren Sie im geöffneten Fenster fort.",
    blocked: "Ihr Browser hat das Fenster blockiert.",
    approval: "Erst nach der Freigabe wird etwas verbunden.",
    connected: "Neuigkeiten erreichen diesen Workspace.",
    attention: "Verbinden Sie neu, um weiter Neuigkeiten zu erhalten.",
    error: "Es wurde nichts verbunden.",
    expired: "Laden Sie diese Seite neu, um zu sehen, ob Slack verbunden ist.",
  },
};
const EVENTS = ["connected", "cancelled", "failed", "statechange"];

const options = new URLSearchParams(location.search);
const language = (options.get("lang") ?? navigator.language).startsWith("de") ? "de" : "en";
const line = document.querySelector(".card-line");
const element = document.createElement("slack-connect");
/** The page around the card. Firefox has no list of ancestors, and a page may send no referrer; then it gets no events. */
const around = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);

function show(token) {
  element.setAttribute("session", `${location.origin}/connect/${token}`);
  if (!element.isConnected) document.querySelector(".card-control").append(element);
}

function changed({ detail }) {
  line.textContent = LINES[language][detail.state] ?? "";
  document.documentElement.dataset.state = detail.state;
  // Without a refreshUrl, the link would lead to this card.
  element.hidden = detail.state === "expired" && element.shadowRoot.querySelector("a")?.href === location.href;
}

document.documentElement.lang = language;
document.documentElement.dataset.theme = options.get("theme") ?? "";
element.lang = language;
for (const name of ["theme", "size"]) if (options.has(name)) element.setAttribute(name, options.get(name));
element.addEventListener("statechange", changed);
if (around && parent !== window) {
  for (const type of EVENTS) {
    element.addEventListener(type, ({ detail }) => parent.postMessage({ type: `slack-connect:${type}`, detail }, around));
  }
}
addEventListener("message", ({ source, data }) => {
  if (source === parent && data?.type === "slack-connect:session") show(data.token);
});
if (location.hash) show(location.hash.slice(1));
