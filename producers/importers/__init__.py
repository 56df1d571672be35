"""Readers of other systems' logs, each turning them into events to publish."""
