"""Messages, and what comes back from people who click."""
