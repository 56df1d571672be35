"""What a running process shows of itself: log lines, metrics, traces, health. Nothing of it holds content.

``observed`` in ``infra/cli/service.py`` puts it together for a service.  The modules here import the port
``ledger/observing.py`` and nothing of what they observe.
"""
