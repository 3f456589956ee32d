"""What only an engine knows: what asked, and waits for the answer."""
