/** Types of connect.js: the element <slack-connect> and the function SlackConnect.open(). */

export type ConnectionStatus = "healthy" | "needs_reconnect" | "unreachable" | "unknown" | "disconnected";

export interface Connection {
  identifier: string;
  status: ConnectionStatus;
  workspaceName?: string;
}

/** What the element shows. */
export type State =
  | "loading"
  | "disconnected"
  | "waiting"
  | "blocked"
  | "approval"
  | "connected"
  | "attention"
  | "error"
  | "expired";

/** A connect session as the API returns it to its holder. */
export interface SessionState {
  id: string;
  state: "created" | "sent_to_slack" | "awaiting_approval" | "finished";
  outcome?: string;
  connection?: Connection;
  /** The reference that your server gave the session. */
  reference?: string;
  /** The short text that the person reads out to support. */
  attemptReference?: string;
  /** The name of your product, and the color of its customers' pages. */
  productName: string;
  accentColor?: string;
}

/** `outcome` is an outcome of docs/outcomes.md, or `stopped` if the person pressed "Stop waiting". */
export type EndDetail = Partial<SessionState> & { outcome: string };

/** `outcome` is missing if the connection came from another session, as after an approval. */
export type ConnectedDetail = Partial<SessionState> & { connection: Connection };

export interface StateDetail {
  state: State;
  connection?: Connection;
}

export interface SlackConnectEventMap {
  connected: CustomEvent<ConnectedDetail>;
  cancelled: CustomEvent<EndDetail>;
  failed: CustomEvent<EndDetail>;
  statechange: CustomEvent<StateDetail>;
}

export interface SlackConnectElement extends HTMLElement {
  readonly state?: State;
  addEventListener<Type extends keyof SlackConnectEventMap>(
    type: Type,
    listener: (this: SlackConnectElement, event: SlackConnectEventMap[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** What `POST /v1/connect-sessions` returned to your server, or its `url` alone. */
export type Session = string | { url: string; expiresAt?: string };

export type OpenOptions =
  | {
      /** Your own address that answers a POST with a new session. */
      sessionUrl: string;
      /** Sent to that address as `X-CSRF-Token` and `X-CSRFToken`. */
      csrfToken?: string;
      session?: undefined;
    }
  | { session: Session | (() => Session | Promise<Session>); sessionUrl?: undefined; csrfToken?: undefined };

export type OpenResult =
  | (ConnectedDetail & { result: "connected" })
  | (EndDetail & { result: "cancelled" })
  /** `outcome` is missing if your server returned no session. */
  | (Partial<EndDetail> & { result: "failed" })
  | { result: "approval"; approvalUrl?: string }
  /** The browser blocked the window. Lead the person to `url` in this tab. */
  | { result: "blocked"; url: string }
  /** The session has expired, or the person is signed out. */
  | { result: "expired"; refreshUrl?: string };

declare global {
  interface HTMLElementTagNameMap {
    "slack-connect": SlackConnectElement;
  }
  interface Window {
    SlackConnect: { open(options: OpenOptions): Promise<OpenResult> };
  }
  var SlackConnect: Window["SlackConnect"];
}
