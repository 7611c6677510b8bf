import type { ReactElement } from "react";
import type { EndDetail, SlackConnectEventMap, StateDetail } from "./connect";

export type * from "./connect";

interface Options {
  /** The address of your Onboarding for Slack server, such as "https://slack.example.com". */
  server: string;
  /** "auto", the default, follows the browser's color scheme. */
  theme?: "light" | "dark" | "auto";
  size?: "small" | "default" | "large";
  /** "en" or "de". Without it, the language of the page, else of the browser. */
  lang?: string;
  className?: string;
  onConnected?(detail: SlackConnectEventMap["connected"]["detail"], event: SlackConnectEventMap["connected"]): void;
  onCancelled?(detail: EndDetail, event: SlackConnectEventMap["cancelled"]): void;
  onFailed?(detail: EndDetail, event: SlackConnectEventMap["failed"]): void;
  onStateChange?(detail: StateDetail, event: SlackConnectEventMap["statechange"]): void;
}

export type SlackConnectProps = Options &
  (
    | {
        /** Your own address that answers a POST with a new session. */
        sessionUrl: string;
        /** Sent to that address as `X-CSRF-Token` and `X-CSRFToken`. */
        csrfToken?: string;
        session?: undefined;
      }
    | {
        /** The `url` of a session. */
        session: string;
        sessionUrl?: undefined;
        csrfToken?: undefined;
      }
  );

export declare function SlackConnect(props: SlackConnectProps): ReactElement;
