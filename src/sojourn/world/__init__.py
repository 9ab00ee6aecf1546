"""The simulated platform whose truth is known."""
