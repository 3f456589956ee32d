"""The command `greenlight`: gates decided and shown from a terminal."""
