"""The table of gates."""
