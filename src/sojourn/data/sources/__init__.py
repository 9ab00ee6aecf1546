"""Published data that installs with the project: each module turns its files into tables of the contract."""
