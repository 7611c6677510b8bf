"""A Flask app whose customers connect their Slack.

pip install flask httpx
export API_KEY=…              # onboarding api-key create "Flask example" --scopes links:write
flask --app server run        # http://127.0.0.1:5000, which must be an allowed origin of the integration
"""

import os
from pathlib import Path

import httpx
from flask import Flask
from flask.typing import ResponseReturnValue

ONBOARDING_URL = os.environ.get("ONBOARDING_URL", "http://127.0.0.1:8000")
PAGE = Path(__file__).parents[1] / "html" / "index.html"

app = Flask(__name__)


@app.get("/")
def notifications() -> str:
    return PAGE.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", ONBOARDING_URL)


@app.post("/slack-session")
def slack_session() -> ResponseReturnValue:
    # The customer who is signed in to your product. Never take it from the request.
    customer = "globex"
    response = httpx.post(
        f"{ONBOARDING_URL}/v1/connect-sessions",
        headers={"Authorization": f"ApiKey {os.environ['API_KEY']}"},
        json={"integrationIdentifier": "slack-practice", "subscriberId": customer},
        timeout=10,
    )
    return response.raise_for_status().json(), 201
