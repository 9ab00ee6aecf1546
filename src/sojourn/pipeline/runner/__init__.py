"""The runner: one (case, study) pair through its parameterised notebook, to a page."""

from sojourn.pipeline.runner.run import run_study

__all__ = ["run_study"]
