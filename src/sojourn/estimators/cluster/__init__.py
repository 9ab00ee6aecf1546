"""Groups and gradients."""
