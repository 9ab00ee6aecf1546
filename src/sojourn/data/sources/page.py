"""The section on sources of the page ``data/README.md``."""

from __future__ import annotations

SOURCES_PAGE = """
## Sources

`tables` names each table of the contract and where it is. Nothing in a parameter file is ever executed or
becomes SQL: names and values of a mapping are identifiers and literals of expressions.

| where | how it is stated |
|---|---|
| text, Parquet file, or folder of either | `events: incoming/events.csv` |
| text that is not plain | `events: {file: incoming/events.txt.gz, encoding: cp1252, delimiter: ";"}` |
| DuckDB file | `events: {duckdb: incoming/shop.duckdb, table: main.events}` |
| database | `events: {database: "postgresql://reader@host/shop", table: app.events, snapshot: "1 July"}` |

**Text** ends in `.csv`, `.tsv` or `.txt`, and after that in `.gz`, `.bz2`, `.xz`, `.zst` or `.zip` (one file
inside) where it is compressed. Beside `file` may stand:

| key | default | meaning |
|---|---|---|
| `encoding` | shown by the file, else UTF-8 | Name of a codec of Python. UTF-16 and UTF-32 show themselves. |
| `delimiter` | shown by the header | One to four bytes; `,` `;` `|` and tabs are found by themselves. |
| `decimal`, `thousands` | `.`, none | Marks in numbers. A mark in a wrong place makes a number none. |
| `quote` | `"` | Put around fields; empty where nothing is. |
| `compression` | by the name | `gzip`, `bz2`, `xz`, `zip`, `zstd` or `none`. |
| `header` | `true` | `false`: columns are called `column_1`, `column_2` and so on. |

Plain UTF-8 is read where it is; everything else is decoded in a stream into a temporary file that only its
owner can read and that is gone when the table is read. Columns without a name, such as the index that pandas
writes, are passed over.

**Folders** hold the parts of one table, all with the same columns. Folders inside may be named
`day=2025-06-01`, which makes `day` a column of text (Parquet only). Names that begin with `.` or `_` are
passed over.

**DuckDB files** are attached read-only. **Databases** are any that Ibis reaches by URL and whose driver is
installed; that of PostgreSQL is. A table or a view is read, of it only the columns that something is made of.
`snapshot` is a label of your own: change it, and the pipeline reads the table anew. A URL with a password is
refused: PostgreSQL finds it in `~/.pgpass` or `PGPASSWORD`; `password_from: SHOP_PASSWORD` names any other
environment variable.

### A mapping instead of a reshaped export

`sojourn new-case` looks at your files and writes a first one; [from a raw file to a
page](../docs/your-own-data.md) shows it on two data sets.

```yaml
prepare:
  source: files
  tables: {events: {file: incoming/export.csv, encoding: cp1252, delimiter: ";", decimal: ","}}
  columns: {events: {Kunde: member_id, Zeitpunkt: occurred_at, Vorgang: event}}  # theirs: ours
  times: {events: {occurred_at: "%d.%m.%Y %H:%M"}}       # or epoch_seconds; read by `clock`
  values: {events: {event: {Kauf: purchase, "": visit}}}  # theirs: ours; null for a missing value
  constants: {items: {category: book}}                    # for a column that the file lacks
  products: {events: {amount: [Menge, Preis]}}            # two columns of the file
  leave_out_empty: {events: [member_id]}                  # rows without a member are left out and counted
  ids: whole_numbers                                      # 7, 7.0 and 007 are one member
```

Values are renamed before they are read, so `{consent: {ja: "true", nein: "false"}}` works. A value that no
row has is warned of. What YAML takes for a yes, a no or a date stands in quotes.
"""
