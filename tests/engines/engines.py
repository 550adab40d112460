"""The engines, each with the same few verbs."""

import contextlib
import pathlib

import duckdb

TYPES = {
    "text": "VARCHAR",
    "double": "DOUBLE",
    "real": "FLOAT",
    "integer": "INTEGER",
    "decimal": "DECIMAL(5, 2)",
    "boolean": "BOOLEAN",
    "date": "DATE",
}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Engine:
    def __init__(self):
        self.files = duckdb.connect()

    def write(self, types, people, path):
        """Writes the rows to a Parquet file, which is what the tool reads by itself."""
        columns = ", ".join(f"{quoted(name)} {TYPES[kind]}" for name, kind in types)
        self.files.execute(f"CREATE OR REPLACE TABLE rows ({columns})")
        marks = ", ".join("?" for _ in types)
        for at in range(0, len(people), 500):
            part = people[at : at + 500]
            values = ", ".join(f"({marks})" for _ in part)
            self.files.execute(f"INSERT INTO rows VALUES {values}", [value for row in part for value in row])
        self.files.execute(f"COPY rows TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 4096)")
        return path

    def written(self, path):
        """Further files of the last answer that the engine has written itself."""
        return []

    def more(self, check):
        """Further checks of this engine."""


class DuckDb(Engine):
    def load(self, table, types, people, path):
        self.write(types, people, path)
        self.files.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT * FROM '{path}'")
        return path

    def run(self, statement):
        self.last = statement
        cursor = self.files.execute(statement)
        return [column[0] for column in cursor.description], cursor.fetchall()

    def written(self, path):
        files = [path.with_suffix(".parquet"), pathlib.Path(f"{path}.copied.csv")]
        for file in files:
            self.files.execute(f"COPY ({self.last}) TO '{file}'")
        return files

    def more(self, check):
        """The standard's statement, where levels are texts and numbers are numbers."""
        import rows

        numbers = (rows.AGE, rows.SCORE, rows.WEIGHT)
        types = [(name, kind if name in numbers else "text") for name, kind in rows.COLUMNS]
        trimmed = []
        for typed, text in zip(rows.people(), rows.as_text(rows.people())):
            both = zip(rows.COLUMNS, typed, text)
            trimmed.append(tuple(v if name in numbers else t and t.strip() for (name, _), v, t in both))
        check.same("mixed", trimmed, types, "ansi")
        # Other white space than the space cannot be trimmed there.
        self.load("wrong", [("sex", "text"), ("d", "text")], [("f\t", "1"), (" m ", "0")], check.folder / "wrong.parquet")
        path, _, _ = check.answer(check.statement("ansi", "wrong", ["-a", "sex", "-d", "d"]), "wrong")
        said = check.run("audit", "--tally", str(path), "-a", "sex", "-d", "d", status=(2,))
        assert "`sex`" in said, said
        # A column whose collation takes capitals for small letters is still counted letter by letter.
        self.files.execute("CREATE OR REPLACE TABLE folded (sex VARCHAR COLLATE NOCASE, d INTEGER)")
        self.files.execute("INSERT INTO folded VALUES ('f', 1), ('F', 0), ('f', 0)")
        _, answer = self.run(check.statement("duckdb", "folded", ["-a", "sex", "-d", "d"]))
        assert len(answer) == 3, answer
        check.done += 2


@contextlib.contextmanager
def open(name, folder):
    if name == "duckdb":
        yield DuckDb()
    elif name == "postgres":
        import postgres

        with postgres.serve(folder) as engine:
            yield engine
    else:
        import spark

        with spark.serve(folder) as engine:
            yield engine
