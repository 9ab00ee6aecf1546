"""What did all trials teach? From sums over members of every trial to effects, decisions and their sum."""
