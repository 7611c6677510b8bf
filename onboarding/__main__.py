"""Run the program as `python -m onboarding`."""

from onboarding.cli.program import main

main()
