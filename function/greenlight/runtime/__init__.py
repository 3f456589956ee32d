"""What every invocation runs on: settings, secrets, clients, network, observability."""
