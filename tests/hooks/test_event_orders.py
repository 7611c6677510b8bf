"""An uninstall's two events, in any order and number, before and after the app was installed again."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.hooks.conftest import Scene
from tests.hooks.sender import ACME
from tests.hooks.test_slack_events import connects, shown

EVENTS = ("app_uninstalled", "tokens_revoked")
deliveries = st.lists(st.sampled_from(EVENTS), max_size=4)


@given(deliveries, deliveries, st.booleans(), st.sampled_from([(0, 0), (1, 0), (400, 0), (0, 400), (400, 400)]))
@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_events_in_any_order_end_in_the_right_state(
    scene: Scene, before: list[str], after: list[str], reinstalls: bool, pauses: tuple[int, int]
) -> None:
    """`pauses`: seconds between the install, the uninstall and the new install, and those until the events of `after`."""
    seconds, late = pauses
    identifier = connects(scene, "pat")
    bot = shown(scene, identifier)["workspace"]["botUserId"]
    scene.clock.forward(seconds=seconds)
    assert scene.site.slack.removes_app(scene.slack.client_id, ACME)
    tokens = {"oauth": [], "bot": [bot]}
    sent = {
        "app_uninstalled": scene.slack.event("app_uninstalled"),
        "tokens_revoked": scene.slack.event("tokens_revoked", tokens=tokens),
    }
    scene.slack.delivers(*(sent[kind] for kind in before))
    assert shown(scene, identifier)["status"] == ("disconnected" if before else "healthy")
    scene.clock.forward(seconds=seconds)
    if reinstalls:
        assert connects(scene, "pat") == identifier
    scene.clock.forward(seconds=late)
    scene.slack.delivers(*(sent[kind] for kind in after))
    is_gone = not reinstalls and bool(before or after)
    assert shown(scene, identifier)["status"] == ("disconnected" if is_gone else "healthy")
    assert bool(shown(scene, identifier)["auth"]["accessToken"]) is not is_gone
    if not reinstalls:
        scene.slack.delivers(*(sent[kind] for kind in EVENTS))
