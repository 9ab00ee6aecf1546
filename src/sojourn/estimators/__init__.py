"""Estimators: arrays and cells in, frozen numbers out; heavy engines are imported inside functions."""
