"""Jobs of a real SLURM on two nodes: run by ``make test-slurm``, inside of ``cluster.sh``.

Not called ``test_*``, because no other run of pytest may collect it.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.writer import write_moving_shapes

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = REPOSITORY / "configs" / "slurm"
EXPERIMENT = str(REPOSITORY / "configs" / "experiment" / "referdino_tiny_mevis.yaml")
NANO = REPOSITORY / "tests" / "integration" / "referdino_nano.yaml"
# Nothing here takes that long unless it hangs.
PATIENCE_S = 400
NUM_PREEMPTIONS = 5


class Cluster:
    """Jobs that are submitted from one folder."""

    def __init__(self, folder: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.model = [
            f"--model.init_args.model={NANO}",
            f"--data.root={root}",
            "--data.short_side=64",
        ]
        self.training = [
            *self.model,
            "--data.num_frames=2",
            "--data.batch_size=1",
            "--trainer.max_epochs=-1",
            "--trainer.limit_val_batches=0",
        ]
        self.jobs: list[str] = []

    def tell(self, line: str) -> None:
        """Show a measured figure, which no test asserts."""
        with self.capsys.disabled():
            sys.stdout.write(f"\nmeasured: {line}\n")

    def submit(self, script: Path, *arguments: str, options: tuple[str, ...] = ()) -> str:
        job = self.call("sbatch", "--parsable", *options, str(script), *arguments).strip()
        self.jobs.append(job)
        return job

    def call(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def state(self, job: str) -> dict[str, str]:
        return dict(re.findall(r"(\w+)=(\S*)", self.call("scontrol", "show", "job", job)))

    def wait(self, job: str, what: str, is_there: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not is_there():
            assert time.monotonic() < end, f"{what} did not come:\n{self.log(job)}"
            time.sleep(0.2)

    def wait_until_gone(self, job: str) -> dict[str, str]:
        running = {"PENDING", "RUNNING", "COMPLETING", "CONFIGURING"}
        self.wait(job, "the end", lambda: self.state(job)["JobState"] not in running)
        return self.state(job)

    def log(self, job: str) -> str:
        return "".join(path.read_text() for path in self.folder.glob(f"slurm-*-{job}*.out"))


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mevis")
    short = replace(HELD_OUT, name="short", num_frames=4)
    for split, written in (("train", None), ("valid", None), ("test", "valid")):
        write_moving_shapes(
            folder, split=split, num_videos=2, preset=short, progress=False, folder=written
        )
    return folder


@pytest.fixture
def cluster(
    tmp_path: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Cluster]:
    folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "tests" / "cluster"))
    cluster = Cluster(tmp_path, root, capsys)
    yield cluster
    for job in cluster.jobs:
        subprocess.run(["scancel", "--quiet", job], check=False)
    for job in cluster.jobs:
        cluster.wait_until_gone(job)


def test_five_preemptions_with_a_slow_rank(cluster: Cluster) -> None:
    diary = cluster.folder / "diary"
    options = ["--trainer.callbacks+=injected_faults.Diary", f"--trainer.callbacks.path={diary}"]
    job = cluster.submit(SCRIPTS / "cpu.sbatch", EXPERIMENT, *cluster.training, *options)
    record = cluster.folder / "runs" / f"job_{job}" / "preempted.json"

    def steps_since_start() -> int:
        lines = diary.read_text().splitlines() if diary.exists() else []
        starts = [place for place, line in enumerate(lines) if line.startswith("start")]
        return len(lines) - 1 - starts[-1] if starts else 0

    def starts() -> list[int]:
        return [int(n) for n in re.findall(r"^start (\d+)", diary.read_text(), re.MULTILINE)]

    expected, told = [0], "is queued again"
    for number in range(1, NUM_PREEMPTIONS + 1):
        # Another place in the step each time: one rank is slower than the other.
        cluster.wait(job, "a step", lambda number=number: steps_since_start() > number % 3)
        since = time.monotonic()
        cluster.call("scancel", "--signal=USR1", job)
        cluster.wait(
            job, "the requeue", lambda number=number: cluster.log(job).count(told) == number
        )
        cluster.tell(f"requeued {time.monotonic() - since:.1f} s after the signal")
        step = json.loads(record.read_text())["step"]
        assert step > expected[-1]
        expected.append(step)
        cluster.wait(job, "the restart", lambda number=number: len(starts()) == number + 1)
        assert starts() == expected
    assert cluster.state(job)["Restarts"] == str(NUM_PREEMPTIONS)
    for step in expected[1:]:
        assert f"resumed at step {step} from " in cluster.log(job)
    # Its owner cancels it: saved once more, and not queued again.
    cluster.wait(job, "a step", lambda: steps_since_start() > 0)
    cluster.call("scancel", job)
    assert cluster.wait_until_gone(job)["JobState"] == "CANCELLED"
    assert cluster.log(job).count(told) == NUM_PREEMPTIONS
    assert json.loads(record.read_text())["step"] > expected[-1]
    assert "Traceback" not in cluster.log(job)


@pytest.mark.parametrize("kind", ["raise", "exit", "hang"])
def test_rank_that_fails_ends_the_job(kind: str, cluster: Cluster) -> None:
    options = ["--trainer.callbacks+=injected_faults.FailingRank"]
    options += [f"--trainer.callbacks.kind={kind}"]
    if kind == "hang":
        options += ["--trainer.callbacks+=rvos.cluster.rank_watch.RankWatch"]
        options += ["--trainer.callbacks.timeout_s=30"]
    job = cluster.submit(SCRIPTS / "cpu.sbatch", EXPERIMENT, *cluster.training, *options)
    cluster.wait(job, "the fault", lambda: "injected fault" in cluster.log(job))
    since = time.monotonic()
    assert cluster.wait_until_gone(job)["JobState"] == "FAILED"
    cluster.tell(f"{kind}: the job was gone after {time.monotonic() - since:.0f} s")
    log = cluster.log(job)
    first = re.search(r"^(?:rvos: |\[rank|Traceback|srun: error).*$", log, re.MULTILINE)
    assert first is not None
    told = {
        "raise": "rvos: rank 1 on node2 fails in `training_step` of step 2",
        "exit": "",  # it says nothing itself; SLURM and the other rank do
        "hang": "rvos: error: rank 1 on node2 has not left `training_step` of step 2",
    }
    assert first.group().startswith(told[kind])
    assert log.count("Traceback") == (kind == "raise")
    if kind == "exit":
        assert re.search(r"task 1: Exited with exit code 9", log)


def test_array_predicts_every_video_once(cluster: Cluster) -> None:
    plain = [*cluster.model, "--trainer.limit_val_batches=0", "--data.num_frames=2"]
    fit = ["fit", "-c", EXPERIMENT, *plain, "--trainer.max_steps=1", "--data.batch_size=1"]
    fit += ["--trainer.accelerator=cpu", "--data.num_workers=0", "--trainer.logger.name=one"]
    subprocess.run(
        [sys.executable, "-m", "rvos", *fit], cwd=cluster.folder, check=True, timeout=PATIENCE_S
    )
    (checkpoint,) = cluster.folder.glob("runs/*/version_0/checkpoints/last.ckpt")
    script = cluster.folder / "array.sbatch"
    text = (SCRIPTS / "evaluate_array.sbatch").read_text()
    # The cluster of the test has no GPUs, and four processors per node.
    script.write_text(text.replace("#SBATCH --gpus-per-node=1\n", ""))
    arguments = [EXPERIMENT, str(checkpoint), "pred", *cluster.model]
    job = cluster.submit(script, *arguments, options=("--array=0-1", "--time=00:30:00"))
    ended = "CompletedSuccessfully|JobState=COMPLETED"
    cluster.wait(
        job,
        "the end of both tasks",
        lambda: len(re.findall(ended, cluster.call("scontrol", "show", "job", job))) == 2,
    )
    videos = [path.name for path in (cluster.folder / "pred").iterdir() if path.is_dir()]
    assert len([name for name in videos if not name.startswith(".")]) == 2
    assert (cluster.folder / "pred" / "submission.zip").is_file()


def test_check_stops_a_job_that_would_hang(cluster: Cluster) -> None:
    script = cluster.folder / "wrong.sbatch"
    text = (SCRIPTS / "cpu.sbatch").read_text()
    script.write_text(text.replace("#SBATCH --ntasks-per-node=1", "#SBATCH --ntasks=2"))
    job = cluster.submit(script, EXPERIMENT, *cluster.training)
    assert cluster.wait_until_gone(job)["JobState"] == "FAILED"
    assert "wrong: --ntasks=2 without --ntasks-per-node" in cluster.log(job)
