// A React app whose customers connect their Slack. Its server answers a POST to /slack-session: see the examples for Flask and Express.
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { SlackConnect } from "onboarding-for-slack-react";

function Notifications() {
  const [workspace, setWorkspace] = useState(null);
  return (
    <main>
      <h1>Notifications</h1>
      <SlackConnect
        server="http://127.0.0.1:8000"
        sessionUrl="/slack-session"
        onConnected={({ connection }) => setWorkspace(connection.workspaceName)}
      />
      {workspace && <p>{workspace} gets our messages now.</p>}
    </main>
  );
}

createRoot(document.getElementById("root")).render(<Notifications />);
