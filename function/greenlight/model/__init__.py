"""The ground: what the house talks of. Imports nothing of ours."""
