"""What every other room may rely on: errors, the data contract, parameters, frozen results."""
