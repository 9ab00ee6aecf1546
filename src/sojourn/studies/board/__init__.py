"""What to do with whom: from counts and sums over members to segments that move, effects, the board."""
