"""Spark on a cluster of its own: a master and two workers on this machine, the rows in eight files."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pyspark
from engines import Engine
from pyspark.sql import SparkSession

FILES = 8


class Spark(Engine):
    def __init__(self, session, workers):
        super().__init__()
        self.session, self.workers = session, workers

    def load(self, table, types, people, path):
        self.write(types, people, path)
        parts = path.with_suffix("")
        parts.mkdir(exist_ok=True)
        for at in range(FILES):
            file = parts / f"part-{at}.parquet"
            some = f"SELECT * EXCLUDE (place) FROM (SELECT *, row_number() OVER () AS place FROM rows) WHERE place % {FILES} = {at}"
            self.files.execute(f"COPY ({some}) TO '{file}' (FORMAT parquet)")
        # A name of a view may hold anything, as long as it is quoted.
        tick = table.replace("`", "``")
        self.session.sql(f"CREATE OR REPLACE TEMPORARY VIEW `{tick}` USING parquet OPTIONS (path '{parts}')")
        return path

    def run(self, statement):
        self.last = statement
        frame = self.session.sql(statement)
        return frame.columns, [tuple(row) for row in frame.collect()]

    def written(self, path):
        """What its executors write: one answer in parts, as Parquet."""
        folder = path.with_suffix(".spark")
        self.session.sql(self.last).write.mode("overwrite").parquet(str(folder))
        return [f"{folder}/*.parquet"]

    def more(self, check):
        import rows

        # Other modes of texts, numbers and quotes.
        for name, value in [
            ("spark.sql.ansi.enabled", "false"),
            ("spark.sql.parser.escapedStringLiterals", "true"),
        ]:
            self.session.conf.set(name, value)
            check.same(name.rsplit(".", 1)[-1][:8], rows.people(), rows.COLUMNS, "spark")
        # A worker dies while twenty million rows are counted: what it had counted is counted again elsewhere.
        import many

        parts = check.folder / "many"
        parts.mkdir()
        many.write(parts, many.TIMES)
        self.session.sql(f"CREATE OR REPLACE TEMPORARY VIEW many USING parquet OPTIONS (path '{parts}')")
        victim, statement = self.workers[0], check.statement("spark", "many", rows.flags())
        started = time.monotonic()
        path, names, calm = check.answer(statement, "many")
        third = (time.monotonic() - started) / 3
        _, digest = check.report("--tally", str(path), *rows.flags())
        _, local = check.report(*map(str, sorted(parts.glob("*.parquet"))), *rows.flags())
        assert digest == local, "the tallies of twenty million rows differ"
        tracker = self.session.sparkContext.statusTracker()

        def kill():
            # Wait for tasks to run, then take the worker and its executor away.
            while not any(
                info and info.numActiveTasks for stage in tracker.getActiveStageIds() if (info := tracker.getStageInfo(stage))
            ):
                time.sleep(0.05)
            time.sleep(third)
            os.killpg(victim.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        _, shaken = self.run(statement)
        killer.join()
        victim.wait()
        order = lambda answer: sorted(answer, key=str)
        assert order(shaken) == order(calm), "a worker that died changed the counts"
        alive = self.session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1
        counted = sum(row[names.index("row_count")] for row in shaken)
        print(f"a worker was killed while {counted} rows were counted; {alive} left; the same {len(shaken)} cells", flush=True)
        check.done += 1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serve(folder):
    home = pathlib.Path(pyspark.__file__).parent
    work = pathlib.Path(folder) / "spark"
    work.mkdir()
    port = free_port()
    environment = dict(os.environ, SPARK_HOME=str(home), SPARK_LOCAL_IP="127.0.0.1", SPARK_NO_DAEMONIZE="1")
    started = []

    def start(*arguments):
        log = (work / f"log-{len(started)}").open("w")
        command = [home / "bin" / "spark-class", *arguments]
        # A group of its own, so that a worker can be killed with its executors.
        started.append(
            subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=work, start_new_session=True)
        )
        return started[-1]

    master = f"spark://127.0.0.1:{port}"
    try:
        deploy = "org.apache.spark.deploy"
        start(f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")
        time.sleep(4)
        workers = [
            start(f"{deploy}.worker.Worker", "-c", "1", "-m", "1g", "--host", "127.0.0.1", "--webui-port", "0", "-d", str(work / f"w{at}"), master)
            for at in range(2)
        ]
        session = (
            SparkSession.builder.master(master)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.executor.memory", "700m")
            .config("spark.sql.shuffle.partitions", str(FILES))
            .config("spark.sql.files.openCostInBytes", str(1 << 30))
            .config("spark.sql.warehouse.dir", str(work / "warehouse"))
            .config("spark.sql.catalogImplementation", "in-memory")
            .config("spark.cores.max", "2")
            .config("spark.log.level", "ERROR")
            .getOrCreate()
        )
        try:
            yield Spark(session, workers)
        finally:
            session.stop()
    finally:
        for process in reversed(started):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
