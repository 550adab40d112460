"""PostgreSQL: a server of its own in a folder that is thrown away, reached by a socket there."""

import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess

import psycopg
from engines import Engine, quoted

TYPES = {
    "text": "text",
    "double": "double precision",
    "real": "real",
    "integer": "integer",
    "decimal": "numeric(5, 2)",
    "boolean": "boolean",
    "date": "date",
}


class Postgres(Engine):
    def __init__(self, connection, program, socket):
        super().__init__()
        self.connection, self.program, self.socket = connection, program, socket

    def load(self, table, types, people, path):
        self.write(types, people, path)
        columns = ", ".join(f"{quoted(name)} {TYPES[kind]}" for name, kind in types)
        with self.connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
            cursor.execute(f"CREATE TABLE {quoted(table)} ({columns})")
            with cursor.copy(f"COPY {quoted(table)} FROM STDIN") as copy:
                for row in people:
                    copy.write_row(row)
        self.connection.commit()
        return path

    def run(self, statement):
        self.last = statement
        with self.connection.cursor() as cursor:
            # As bytes, so that no percent sign is taken for a parameter.
            cursor.execute(statement.encode())
            return [column.name for column in cursor.description], cursor.fetchall()

    def written(self, path):
        """What its own shell writes."""
        file = pathlib.Path(f"{path}.copied.csv")
        with file.open("wb") as out:
            copy = f"COPY ({self.last}) TO STDOUT CSV HEADER"
            psql = [self.program, "-X", "-q", "-h", self.socket, "-U", "evenhand", "-d", "postgres", "-c", copy]
            subprocess.run(psql, check=True, stdout=out)
        return [file]

    def more(self, check):
        # The statement means the same where backslashes in texts are marks, as they once were.
        import rows

        self.connection.execute("SET standard_conforming_strings = off")
        self.connection.execute("SET backslash_quote = off")
        check.same("old mode", rows.people(), rows.COLUMNS, "postgres")
        # A collation that takes capitals for small letters.
        self.connection.execute("CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        self.connection.execute("CREATE TABLE folded (sex text COLLATE folded, d integer)")
        self.connection.execute("INSERT INTO folded VALUES ('f', 1), ('F', 0), ('f', 0)")
        _, answer = self.run(check.statement("postgres", "folded", ["-a", "sex", "-d", "d"]))
        assert len(answer) == 3, answer
        check.done += 1


@contextlib.contextmanager
def serve(folder):
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if not programs:
        raise SystemExit("PostgreSQL is not here: install Debian's package postgresql")
    bin_ = programs[-1]
    home = pathlib.Path(folder) / "postgres"
    home.mkdir()
    # The server refuses to be run by root.
    user = None
    if os.getuid() == 0:
        user = "postgres"
        shutil.chown(home, user)
        pathlib.Path(folder).chmod(0o755)
        pwd.getpwnam(user)
    start = dict(check=True, user=user, cwd=home, stdout=subprocess.DEVNULL)
    data, log = home / "data", home / "log"
    subprocess.run([bin_ / "initdb", "-U", "evenhand", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-D", data], **start)
    options = f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync=off"
    subprocess.run([bin_ / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start"], **start)
    try:
        with psycopg.connect(host=str(home), user="evenhand", dbname="postgres") as connection:
            yield Postgres(connection, bin_ / "psql", str(home))
    finally:
        subprocess.run([bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **start)
