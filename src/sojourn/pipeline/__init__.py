"""Stages, runner, proof and command line; Papermill lives here and nowhere else."""
