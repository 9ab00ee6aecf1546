"""The door and the engine: raw tables in, tidy tables and cells out. Ibis lives here and nowhere else."""
