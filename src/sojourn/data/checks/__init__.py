"""What the door finds worth saying of tables that broke no rule: tallies, rules on them, findings."""
