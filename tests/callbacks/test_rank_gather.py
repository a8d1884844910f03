import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rvos.callbacks.rank_gather import RankGather


def test_one_process_has_its_own_row_at_once() -> None:
    gather = RankGather(torch.device("cpu"))
    assert gather.take() is None
    gather.start([1.0, 2.0])
    rows = gather.take()
    assert rows is not None
    assert rows.tolist() == [[1.0, 2.0]]
    assert gather.take() is None


# The second process takes part once and never again, but does not end either.
_TWO_PROCESSES = """
import os, pathlib, sys, time
import torch
import torch.distributed as dist
from rvos.callbacks.rank_gather import RankGather

folder, rank = pathlib.Path(sys.argv[1]), int(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
gather = RankGather(torch.device("cpu"))
gather.start([rank + 1.0, 10.0 * rank])
rows = gather.take(patience_s=200)
if rank == 0:
    print(rows.tolist(), flush=True)
    gather.start([3.0, 3.0])
    print(gather.take(), gather.take(patience_s=0.2), flush=True)
    (folder / "left").touch()
while not (folder / "left").exists():
    time.sleep(0.02)
os._exit(0)
"""


@pytest.mark.slow
def test_all_rows_arrive_and_nobody_waits_for_one_that_does_not_come(tmp_path: Path) -> None:
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    first, second = (
        subprocess.Popen(
            [sys.executable, "-c", _TWO_PROCESSES, str(tmp_path), str(rank)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    )
    try:
        out, _ = first.communicate(timeout=300)
        assert out.splitlines() == ["[[1.0, 0.0], [2.0, 10.0]]", "None None"]
        assert (first.returncode, second.wait(300)) == (0, 0)
    finally:
        first.kill()
        second.kill()
