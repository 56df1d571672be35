"""Each figure as a ratio against a peer or a raw limit, taken in one run. ``make bench`` runs them all."""
