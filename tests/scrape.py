"""Figures as a scraper reads them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from infra.observing.metrics import Metrics


def parsed(text: str) -> dict[str, float]:
    """Samples by name and sorted labels: ``name{label="value"}``."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def figures(metrics: Metrics) -> dict[str, float]:
    """What the metrics say now."""
    return parsed(generate_latest(metrics.registry).decode())


def get(address: str, path: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def ready(address: str) -> tuple[int, dict[str, Any]]:
    """What the readiness check says."""
    status, body = get(address, "/readyz")
    return status, json.loads(body)
