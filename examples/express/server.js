// An Express app whose customers connect their Slack.
//
//     npm install
//     export API_KEY=…              # onboarding api-key create "Express example" --scopes links:write
//     npm start                     # http://127.0.0.1:3000, which must be an allowed origin of the integration
import { readFile } from "node:fs/promises";
import express from "express";

const { API_KEY, ONBOARDING_URL = "http://127.0.0.1:8000", PORT = "3000" } = process.env;
const app = express();

app.get("/", async (request, response) => {
  const page = await readFile(new URL("../html/index.html", import.meta.url), "utf8");
  response.type("html").send(page.replaceAll("http://127.0.0.1:8000", ONBOARDING_URL));
});

app.post("/slack-session", async (request, response) => {
  // The customer who is signed in to your product. Never take it from the request.
  const customer = "globex";
  const answer = await fetch(`${ONBOARDING_URL}/v1/connect-sessions`, {
    method: "POST",
    headers: { Authorization: `ApiKey ${API_KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify({ integrationIdentifier: "slack-practice", subscriberId: customer }),
  });
  response.status(answer.status).json(await answer.json());
});

app.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}`));
