"""Spark as an engine for cells: the same expressions, the same cells."""

from __future__ import annotations

import os
import shutil
from typing import Any

import ibis

from sojourn.core.errors import ParameterError

#: What makes Spark give what DuckDB gives, and keep quiet.
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, as in DuckDB, and no empty value
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",  # decimals are exact or an error
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
#: Of a session in this process's own machine; one that is reached by address has its own.
_LOCAL = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.catalogImplementation": "in-memory",
}


def connect_spark(address: str = "") -> Any:
    """Return a connection of Ibis to Spark, in UTC.

    Parameters
    ----------
    address : str
        Of a Spark Connect server; empty for Spark in this process's own machine, with all of its processors.

    Raises
    ------
    ParameterError
        When PySpark or Java is missing, or the server does not answer.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ParameterError(
            "'engine.backend: pyspark' needs PySpark, which is not installed. Install it with "
            "`pip install 'ibis-framework[pyspark]'` and Java 17, or set 'engine.backend: duckdb'."
        ) from None
    try:
        session = _session(SparkSession.builder, address)
        return ibis.pyspark.connect(session)
    except Exception as error:  # what Java, gRPC and Spark raise has no common kind
        where = f"Spark at {address}" if address else "Spark on this machine"
        raise ParameterError(
            f"'engine': {where} cannot be used ({type(error).__name__}). {_hint(address, error)}"
        ) from error


def _session(builder: Any, address: str) -> Any:
    for name, value in {**_SETTINGS, **({} if address else _LOCAL)}.items():
        builder = builder.config(name, value)
    if address:
        return builder.remote(address).getOrCreate()
    return builder.appName("sojourn").master("local[*]").getOrCreate()


def _hint(address: str, error: Exception) -> str:
    if address and isinstance(error, ImportError):
        return "Spark Connect needs more packages: `pip install 'pyspark[connect]'`."
    if address:
        return "Check 'engine.address' and that the server runs, or set 'engine.backend: duckdb'."
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        return "It needs Java 17, and there is no `java`; install it, or set 'engine.backend: duckdb'."
    return "It needs Java 17; see the error above, or set 'engine.backend: duckdb'."
