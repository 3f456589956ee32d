"""AWS and Slack as small servers on this machine, for the tests, the demo and the benchmark."""
