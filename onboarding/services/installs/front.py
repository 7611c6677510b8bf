"""Installs: the steps from a click on *Connect Slack* to a connection."""

from onboarding.services.installs.callback import InstallCallback
from onboarding.services.installs.restart import StartElsewhere
from onboarding.services.installs.result import ResultReader
from onboarding.services.installs.setup import SetupStep
from onboarding.services.installs.start import InstallStarter


class Installs:
    """The steps of an install in one object. The class that defines a method documents it."""

    def __init__(
        self,
        starter: InstallStarter,
        callback: InstallCallback,
        setup: SetupStep,
        results: ResultReader,
        elsewhere: StartElsewhere,
    ) -> None:
        self.view_link = starter.view_link
        self.view_operator = starter.view_operator
        self.start_link = starter.start_link
        self.start_operator = starter.start_operator
        self.ask_approval_with_link = starter.ask_approval_with_link
        self.ask_approval_as_operator = starter.ask_approval_as_operator
        self.handle_callback = callback.handle_callback
        self.view_setup = setup.view_setup
        self.save_setup = setup.save_setup
        self.replace_workspace = setup.replace_workspace
        self.check_waiting = setup.check_waiting
        self.decline = setup.decline
        self.expire = setup.expire
        self.result = results.result
        self.restart_token = elsewhere.restart_token
        self.view_elsewhere = elsewhere.view_elsewhere
        self.start_elsewhere = elsewhere.start_elsewhere
        self.is_connected = results.is_connected
        self.is_of_this_browser = results.is_of_this_browser
