"""Ports made real: Kafka, the ledger folder, key files, the vault, a local broker. Imports only ports."""
