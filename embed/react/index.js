"use client";
// The element <slack-connect> as a React component. The server's own connect.js draws it, so an update of the server is enough.
import { createElement, useEffect, useRef } from "react";

const EVENTS = { connected: "onConnected", cancelled: "onCancelled", failed: "onFailed", statechange: "onStateChange" };

/** Load connect.js once per page. */
function load(server) {
  const src = `${server.replace(/\/$/, "")}/embed/v1/connect.js`;
  if (customElements.get("slack-connect") || [...document.scripts].some((script) => script.src === src)) return;
  document.head.append(Object.assign(document.createElement("script"), { src, async: true }));
}

export function SlackConnect({ server, sessionUrl, session, csrfToken, theme, size, lang, className, ...handlers }) {
  const element = useRef(null);
  // The listeners are added once and call the newest handlers.
  const newest = useRef(handlers);
  newest.current = handlers;
  useEffect(() => load(server), [server]);
  useEffect(() => {
    const controller = new AbortController();
    for (const [type, name] of Object.entries(EVENTS)) {
      const listener = (event) => newest.current[name]?.(event.detail, event);
      element.current.addEventListener(type, listener, { signal: controller.signal });
    }
    return () => controller.abort();
  }, []);
  const attributes = { "session-url": sessionUrl, session, "csrf-token": csrfToken, theme, size, lang, class: className };
  return createElement("slack-connect", { ref: element, ...attributes });
}
