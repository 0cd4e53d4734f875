"""Other versions of DuckDB, as readers have them, open a release and find the same in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from app import keeping
from tests.deliveries import WORLD, land, land_world, settle_next
from warehouse import releases

READERS = sorted((Path(__file__).parent / "readers").glob("duckdb-*.lock"))
INSTALLED = Path(sys.prefix) / "readers"
ASK = """
import duckdb, json, sys
con = duckdb.connect(sys.argv[1], read_only=True)
tables = [name for (name,) in con.execute("SHOW TABLES").fetchall()]
counts = {name: con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in tables}
known = con.execute("SELECT count(*), sum(revenue) FROM transactions_known_on(DATE '2021-04-01')").fetchall()
total = con.execute("SELECT sum(amount) FROM earnings_ledger").fetchall()[0][0]
print(json.dumps({"version": duckdb.__version__, "counts": counts, "total": str((total, known))}))
"""


def asked(path: Path, packages: Path | None) -> dict:
    """What a fresh process with its own DuckDB finds in a release."""
    env = os.environ | ({"PYTHONPATH": str(packages)} if packages else {})
    done = subprocess.run([sys.executable, "-c", ASK, str(path)], env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture
def release(home) -> Path:
    """A release with a past month that was merged."""
    land_world()
    land("transactions", [{"transaction_id": "t1"}])
    land("agreements", WORLD["agreements"], "2021-04-01")
    land("fx_rates", [{"fx_month": "2021-04"}], "2021-04-01")
    land("transactions", [{"transaction_id": "t2"}], "2021-04-01")
    pipeline.run()
    settle_next("2021-04-02", [{"transaction_id": "t1", "revenue": "50.00"}])
    land("fx_rates", [{"fx_month": "2021-05"}], "2021-05-03")
    settle_next("2021-05-03", [{"transaction_id": "t2", "revenue": "50.00"}])
    assert keeping.gc(1)["files merged"] > 0
    return releases.database(pipeline.current_release())


def test_other_versions_read_the_same(release):
    ours = asked(release, None)
    assert ours["counts"]["decisions"] >= 2 and READERS
    for lock in READERS:
        theirs = asked(release, INSTALLED / lock.stem)
        assert theirs["version"] == lock.stem.removeprefix("duckdb-")
        assert (theirs["counts"], theirs["total"]) == (ours["counts"], ours["total"])
