"""Greenlight: people decide whether a CodeDeploy ECS blue/green deployment goes on."""
