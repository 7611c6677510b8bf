// The element <slack-connect> and the function SlackConnect.open(), for pages of other sites. `make embed` minifies this file and
// connect.css to static/embed/v1/connect.js, which is both a classic script and a module.
//
// A flow is one connect session and what is known about it. Elements with the same session share a flow, so a page gets each
// event once. The API decides: a message from the popup only makes the flow ask at once, and a closed popup proves nothing.
// Inline styles, inline scripts and HTML parsing are avoided, because a page's Content-Security-Policy may forbid them.

/* global STYLES */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** The time between two requests to the API: at first, and later. */
const OFTEN = 2 * SECOND;
const RARELY = 10 * SECOND;
/** How long the API may take to answer. */
const TIMEOUT = 20 * SECOND;
/** A session is replaced this long before its end, because the person must still press a button in the popup. */
const MARGIN = 30 * SECOND;
/** How long the API is asked after an attempt has ended, because the person may start another one in the popup. */
const AFTERWARDS = 10 * MINUTE;
const FAULTS_BEFORE_ERROR = 3;
const ATTRIBUTES = ["session-url", "session", "csrf-token", "lang"];
/** The element's name, the popup's message, and the key in the session storage. */
const NAME = "slack-connect";
const AGAIN = ["Open again", "Erneut öffnen"];
/** The title of each state in both languages, and the text below it. */
const STATES = {
  loading: ["Checking Slack", "Slack wird geprüft"],
  disconnected: ["Connect Slack", "Slack verbinden"],
  waiting: ["Waiting for Slack", "Warten auf Slack", ...AGAIN],
  blocked: ["Continue in this tab", "In diesem Tab fortfahren", "The window was blocked", "Das Fenster wurde blockiert"],
  approval: ["Waiting for your Slack admin", "Warten auf Ihren Slack-Admin", ...AGAIN],
  connected: ["Slack", "Slack", "Connected", "Verbunden"],
  attention: ["Reconnect Slack", "Slack neu verbinden", "Slack ended our access", "Slack hat den Zugriff beendet"],
  error: ["Could not connect", "Verbinden nicht möglich", "Try again", "Erneut versuchen"],
  expired: ["Sign in again", "Neu anmelden", "to manage Slack", "um Slack zu verwalten"],
};
const COPY = ["Copy link", "Link kopieren"];
const COPIED = ["Copied", "Kopiert"];
const HELP = ["Slack shows an error?", "Slack zeigt einen Fehler?"];
const MANAGE = ["Manage", "Verwalten"];
const STOP = ["Stop waiting", "Nicht mehr warten"];

const { now } = Date;
const flows = new Map();

/** Return a session's flow. `sessionUrl`: the host's address that returns it. `given`: the session, or a function that returns it. */
function flowOf(sessionUrl, given, csrfToken) {
  const key = sessionUrl || given;
  if (!flows.has(key)) flows.set(key, createFlow(key, sessionUrl, given, csrfToken));
  return flows.get(key);
}

function fault(text) {
  return Error(`${NAME}: ${text}`);
}

/** Read a session, or its address alone. Throws for other text, because the address becomes a link. */
function readSession(given) {
  const [url, origin, token, id] = /^(https?:..[^/]+).connect.((\w+_[\w-]+)[\w.-]+)$/.exec(given.url ?? given) ?? [];
  if (!id) throw fault("no connect session");
  return { url, origin, token, id };
}

function isUp(answer) {
  return answer?.connection && !/needs_reconnect|disconnected/.test(answer.connection.status);
}

/** Identify the stage of the attempt that an answer describes. */
function stageOf(answer) {
  return answer && [answer.state, answer.outcome, answer.attemptReference].join();
}

/** Return the query that suggests the language of `node` to our pages. There, a language that the person has chosen comes first. */
function queryFor(node) {
  return `?ui_locales=${node.closest("[lang]")?.lang || navigator.language}`;
}

function createFlow(key, sessionUrl, given, csrfToken) {
  /** The popup keeps its name when another session opens in it. */
  const windowName = NAME + Math.random();
  const canRenew = sessionUrl || typeof given === "function";
  /** The objects that show the flow. Each has `_show(view)`, `_send(type, detail)` and the `_query` of the popup. */
  const viewers = new Set();
  let view = {};
  let session, answer, popup, timer, loading, isAsking, mustAskAgain;
  /** The viewer whose click started the attempt: it sends the events. */
  let active;
  /** The stage of the session when the person started. */
  let stageBefore;
  /** "loading", "waiting", "blocked", "error", "expired", or "" if the answer alone decides the state. */
  let phase, startedAt, followUntil;
  let askedAt = 0;
  let faults = 0;

  function isAway() {
    return /waiting|blocked/.test(phase);
  }

  function state() {
    if (phase) return phase;
    if (isUp(answer)) return "connected";
    if (answer?.state === "awaiting_approval") return "approval";
    return answer?.connection ? "attention" : "disconnected";
  }

  function show(newPhase = phase) {
    phase = newPhase;
    view = { ...answer, state: state(), url: session?.url, origin: session?.origin };
    viewers.forEach((viewer) => viewer._show(view));
  }

  /** Get a session from the host's server; at most one request at a time. */
  function load() {
    return (loading ??= fetchSession().finally(() => (loading = undefined)));
  }

  async function fetchSession() {
    let found = given;
    if (sessionUrl) {
      const headers = { Accept: "application/json" };
      // Rails reads the first name, Django and Flask-WTF the second.
      if (csrfToken) headers["X-CSRF-Token"] = headers["X-CSRFToken"] = csrfToken;
      const response = await fetch(sessionUrl, { method: "POST", headers });
      // Many servers redirect a person who is signed out to a page.
      if (response.redirected || /40[13]/.test(response.status)) throw undefined;
      if (!response.ok) throw fault(`status ${response.status}`);
      found = await response.json();
    } else if (canRenew) found = await given();
    session = readSession(found);
  }

  /** Show a problem; undefined: the host or the API wants the person to sign in again. */
  function fail(problem) {
    if (problem) console.error(problem);
    show(problem ? "error" : "expired");
  }

  function begin() {
    show("loading");
    load().then(arrive, fail);
  }

  function arrive() {
    show();
    ask();
  }

  /** Return whether the session can be opened. After its attempt has ended, it is replaced if the host can return another one. */
  function isUsable() {
    return phase !== "expired" && session && !(canRenew && (isOver() || answer?.state === "finished"));
  }

  function isOver() {
    return session._endsAt < now() + MARGIN;
  }

  /** Open a page of the session, with a query, in a window. Call it in the click: a browser blocks a window that is opened later. */
  function openWindow(path, name, features) {
    const usable = isUsable();
    // The result page sends its message to this page's origin, if the integration allows it. An origin has no character to escape.
    const address = () => `${session.url}${path}&opener=${origin}`;
    const opened = window.open(usable ? address() : "", name, features);
    if (!usable) {
      load()
        .then(() => opened?.location.replace(address()))
        .then(arrive, (problem) => {
          opened?.close();
          fail(problem);
        });
    }
    return opened;
  }

  function proceed(viewer) {
    active = viewer;
    if (phase === "error" && !answer && viewer._draw) {
      faults = 0;
      begin();
    } else if (phase === "waiting" && popup && !popup.closed) {
      popup.focus();
    } else {
      stageBefore = stageOf(isUsable() && answer);
      startedAt = now();
      const left = screenX + outerWidth / 2 - 280;
      popup = openWindow(viewer._query, windowName, `width=560,height=760,left=${left},top=${screenY + 80}`);
      show(popup ? (isUp(answer) ? "" : "waiting") : "blocked");
      schedule();
    }
  }

  /** Open the connection's page with a new session if this one is over. Otherwise the link opens it. */
  function manage(event) {
    if (isUsable()) return;
    event.preventDefault();
    openWindow(`/manage${event.currentTarget.search}`);
  }

  /** Ask now: the popup has sent a message (`isMessage`), or the person is back. */
  function wake(isMessage) {
    if (session && (isMessage || now() - askedAt > SECOND)) ask();
  }

  async function ask() {
    mustAskAgain = isAsking;
    if (isAsking) return;
    isAsking = true;
    try {
      // An attempt that is under way may end later than its session.
      if (isOver() && canRenew && !isAway()) await load();
      const asked = session;
      const response = await fetch(`${asked.origin}/v1/connect-sessions/${asked.id}`, {
        headers: { Authorization: `Bearer ${asked.token}` },
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const body = await response.json();
      if (asked === session) take(response, body);
    } catch (problem) {
      if (problem) countFault();
      else fail();
    }
    isAsking = false;
    askedAt = now();
    if (mustAskAgain) ask();
    else schedule();
  }

  function countFault() {
    faults += 1;
    // A browser does not say why it got no answer.
    if (phase === "loading" && faults >= FAULTS_BEFORE_ERROR)
      fail(fault(`no answer. Is ${origin} an allowed origin?`));
  }

  function take(response, body) {
    // When a session is over, the API no longer returns the connection, and the page gets another session.
    const hasWorked = session._endsAt;
    const isGone =
      /40[14]/.test(response.status) ||
      /^link_/.test(body.outcome) ||
      (isOver() && !isAway() && body.state === "finished" && !body.connection);
    if (isGone) {
      session._endsAt = 0;
      if (isAway()) end("failed", body.outcome ?? body.code);
      else if (canRenew && hasWorked) mustAskAgain = true;
      else fail();
    } else if (response.ok) {
      faults = 0;
      session._endsAt = Date.parse(body.expiresAt);
      compare(answer, (answer = body));
    } else countFault();
  }

  function compare(before, after) {
    const { state, outcome } = after;
    const isNews = isAway() && stageOf(after) !== stageBefore;
    if (isUp(after) && (before ? !isUp(before) : cameBack(after))) end("connected", outcome);
    else if (isNews && state === "finished") end(/^cancelled/.test(outcome) ? "cancelled" : "failed", outcome);
    else if (isNews && state === "awaiting_approval") show("");
    else if (state === "sent_to_slack" && now() < followUntil) show("waiting");
    else show((before || isAway()) && !isUp(after) ? phase : "");
  }

  function end(type, outcome) {
    stageBefore = stageOf(answer);
    followUntil = type === "connected" ? 0 : now() + AFTERWARDS;
    show(type === "failed" ? "error" : "");
    const viewer = viewers.has(active) ? active : [...viewers][0];
    viewer?._send(type, { ...answer, outcome });
  }

  function schedule() {
    clearTimeout(timer);
    const wait = delay() * (0.8 + Math.random() * 0.4);
    // A hidden page does not ask. It asks when it is visible again.
    if (wait && viewers.size) timer = setTimeout(() => document.hidden || ask(), wait);
  }

  /** Return the milliseconds until the next request, 0 for none. */
  function delay() {
    const time = now();
    if (faults) return Math.min(2 ** faults, 30) * SECOND;
    // Every two seconds at first, every ten seconds after two minutes.
    if (isAway()) return Math.min(OFTEN + (time - startedAt) / 15, RARELY);
    if (view.state === "approval") return MINUTE;
    return time < followUntil ? RARELY : 0;
  }

  begin();
  return {
    _manage: manage,
    _proceed: proceed,
    _wake: wake,
    /** Stop waiting. The person may still finish in the popup; then the state changes after all. */
    _stop: () => end("cancelled", "stopped"),
    get _view() {
      return view;
    },
    _add(viewer) {
      viewers.add(viewer);
      show();
    },
    /** A page may move an element, which removes and adds it, so the flow ends a moment later. */
    _remove(viewer) {
      viewers.delete(viewer);
      setTimeout(() => {
        if (!viewers.size && flows.delete(key)) clearTimeout(timer);
      });
    },
  };
}

/** Store which connections work before the person leaves in this tab. Only another one counts as new after the return. */
function leave() {
  const known = [...flows.values()].map(({ _view }) => isUp(_view) && _view.connection.identifier);
  // Without storage, the state is right after the return, but the event is missing.
  attempt(() => sessionStorage.setItem(NAME, JSON.stringify(known)));
}

/** Return whether the person left in this tab and came back with a new connection. True only once. */
function cameBack({ connection }) {
  const known = attempt(() => sessionStorage.getItem(NAME));
  if (!known || known.includes(`"${connection.identifier}"`)) return false;
  sessionStorage.removeItem(NAME);
  return true;
}

/** Some browsers forbid storage. */
function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function wakeAll() {
  if (!document.hidden) flows.forEach((flow) => flow._wake());
}

["visibilitychange", "focus", "pageshow"].forEach((type) => addEventListener(type, wakeAll));
addEventListener("message", ({ origin, data }) => {
  if (data === NAME) flows.forEach((flow) => flow._view.origin === origin && flow._wake(true));
});

/** Create an element. `click` is a listener, and an attribute without a value is left out. */
function create(tag, { click, ...attributes }, ...children) {
  const made = document.createElementNS(`http://www.w3.org/${/svg|path/.test(tag) ? "2000/svg" : "1999/xhtml"}`, tag);
  for (const name in attributes) if (attributes[name]) made.setAttribute(name, attributes[name]);
  made.onclick = click;
  made.append(...children.filter(Boolean));
  return made;
}

/** Draw a spinner while something is awaited, else Slack's mark. */
function drawIcon(state) {
  if (/loading|waiting/.test(state)) return create("i", {});
  // One shape in four colors, each a quarter turn after the last.
  const d = "M4 12a2 2 0 1 1-2-2h2zM5 12a2 2 0 0 1 4 0v5a2 2 0 0 1-4 0z";
  const parts = ["#e01e5a", "#36c5f0", "#2eb67d", "#ecb22e"].map((fill, quarter) =>
    create("path", { d, fill, transform: `rotate(${quarter * 90} 9.5 9.5)` }),
  );
  return create("svg", { viewBox: "0 0 19 19" }, ...parts);
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLES);

class SlackConnect extends HTMLElement {
  static observedAttributes = ATTRIBUTES;

  constructor() {
    super();
    this._box = create("div", {});
    this._live = create("p", { "aria-live": "polite" });
    this.attachShadow({ mode: "open" }).append(this._box, this._live);
    this.shadowRoot.adoptedStyleSheets = [sheet];
  }

  connectedCallback() {
    this.disconnectedCallback();
    const [sessionUrl, session, csrfToken] = ATTRIBUTES.map((name) => this.getAttribute(name));
    if (!sessionUrl && !session) return;
    this._flow = flowOf(sessionUrl, session, csrfToken);
    this._flow._add(this);
  }

  disconnectedCallback() {
    this._flow?._remove(this);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.connectedCallback();
  }

  _send(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  _show(view) {
    this._query = queryFor(this);
    const { state } = view;
    const drawn = JSON.stringify([view, this._query]);
    if (drawn === this._drawn) return;
    this._drawn = drawn;
    const isGerman = /=de/.test(this._query);
    this._box.lang = isGerman ? "de" : "en";
    // A page's Content-Security-Policy may forbid the attribute `style`.
    this._box.style.setProperty("--sc-accent", view.accentColor ?? "");
    const hadFocus = this.shadowRoot.activeElement;
    this._draw(view, (texts, part = 0) => texts[part + isGerman]);
    // The control in focus was replaced.
    if (hadFocus) this._box.querySelector("a,button")?.focus();
    const before = this.state;
    if (before === state) return;
    this.state = state;
    // Screen readers hear a change once. The state in which the page was loaded is no change.
    if (before && before !== "loading") {
      this._live.ariaLive = /blocked|error/.test(state) ? "assertive" : "polite";
      this._live.textContent = `${view.productName ?? ""} ${this._box.querySelector(".main").innerText}`;
    }
    this._send("statechange", { state, connection: view.connection });
  }

  /** Draw the frame with its main control and the control beside it, and the panel below. */
  _draw(view, text) {
    const { state, url } = view;
    const { _flow: flow, _query: query } = this;
    const click = (event) => {
      event.preventDefault();
      flow._proceed(this);
    };
    const isConnected = state === "connected";
    // In these states, the link opens in this tab and not in a popup.
    const isLeaving = /blocked|expired/.test(state);
    // A link also opens in another tab, and its address can be copied.
    const isLink = isLeaving || /attention|approval|disconnected/.test(state);
    const more = text(STATES[state], 2);
    const main = create(
      isConnected ? "div" : isLink ? "a" : "button",
      {
        class: "main",
        href: isLink && (state === "expired" ? (view.refreshUrl ?? location.href) : url && url + query),
        target: isLink && (isLeaving ? "_top" : "_blank"),
        "aria-disabled": state === "loading",
        click: isLeaving ? state === "blocked" && leave : !/loading|^connected/.test(state) && click,
      },
      drawIcon(state),
      create(
        "span",
        {},
        create("b", {}, (isConnected && view.connection.workspaceName) || text(STATES[state])),
        more && create("small", {}, more, state === "error" && view.attemptReference && ` · ${view.attemptReference}`),
      ),
    );
    const side = (tag, label, attributes) => create(tag, { class: "side", ...attributes }, text(label));
    const beside = isConnected
      ? side("a", MANAGE, { href: `${url}/manage${query}`, target: "_blank", click: flow._manage })
      : state === "approval" &&
        view.approvalUrl &&
        side("button", COPY, { click: ({ target }) => this._copy(target, text, view.approvalUrl) });
    const panel =
      state === "waiting" &&
      create(
        "div",
        { class: "panel" },
        side("button", STOP, { click: flow._stop }),
        side("a", HELP, { href: `${view.origin}/slack/errors${query}`, target: "_blank" }),
      );
    const frame = create("div", { part: "frame", role: "group", "aria-label": view.productName }, main, beside);
    this._box.replaceChildren(frame, panel || "");
  }

  async _copy(button, text, link) {
    try {
      await navigator.clipboard.writeText(link);
      this._live.textContent = button.textContent = text(COPIED);
    } catch {
      prompt(text(COPY), link);
    }
  }
}

/**
 * Open the popup from a control of the page's own. Call it in the click. Returns a promise of an object whose `result` is
 * "connected", "cancelled", "failed", "approval", "blocked" or "expired".
 */
function open(source) {
  const flow = flowOf(source.sessionUrl, source.session, source.csrfToken);
  return new Promise((resolve) => {
    const finish = (result, detail) => {
      flow._remove(viewer);
      resolve({ ...detail, result });
    };
    const viewer = {
      _query: queryFor(document.documentElement),
      _send: finish,
      _show({ state, ...view }) {
        if (/^connected|approval|expired/.test(state) || (state === "blocked" && view.url)) finish(state, view);
        // The event of a failed attempt comes first. A retry leaves the state.
        if (state === "error") setTimeout(() => flow._view.state === state && finish("failed", view));
      },
    };
    flow._add(viewer);
    flow._proceed(viewer);
  });
}

if (!customElements.get(NAME)) {
  customElements.define(NAME, SlackConnect);
  window.SlackConnect = { open };
}
