"""Pictures of results; matplotlib and seaborn live here and nowhere else."""
