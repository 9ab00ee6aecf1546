"""What is recorded of members: one module per table of the contract."""
