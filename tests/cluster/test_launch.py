from pathlib import Path
from unittest.mock import Mock

import pytest
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.plugins.environments import LightningEnvironment, SLURMEnvironment

from rvos.cluster.launch import ClusterError, check_job, cluster_options
from rvos.cluster.preemption import Preemption
from rvos.cluster.rank_watch import RankWatch

JOB = {
    "JOB_ID": "7",
    "JOB_NAME": "rvos",
    "JOB_NUM_NODES": "1",
    "NTASKS": "2",
    "NTASKS_PER_NODE": "2",
    "PROCID": "0",
    "LOCALID": "0",
    "NODEID": "0",
    "STEP_ID": "0",
}


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in JOB.items():
        monkeypatch.setenv(f"SLURM_{name}", value)


def test_callbacks_are_added_once_and_first() -> None:
    own = Callback()
    callbacks = cluster_options({"callbacks": own})["callbacks"]
    assert [type(each) for each in callbacks] == [RankWatch, Preemption, Callback]
    chosen = RankWatch(timeout_s=5.0)
    callbacks = cluster_options({"callbacks": [own, chosen]})["callbacks"]
    assert callbacks[1:] == [own, chosen]
    assert isinstance(callbacks[0], Preemption)


def test_nothing_of_slurm_outside_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert set(cluster_options({})) == {"callbacks"}


@pytest.mark.usefixtures("job")
def test_slurm_comes_without_its_handlers() -> None:
    (plugin,) = cluster_options({})["plugins"]
    assert isinstance(plugin, SLURMEnvironment)
    assert not plugin.auto_requeue


@pytest.mark.usefixtures("job")
def test_chosen_environment_stays() -> None:
    assert "plugins" not in cluster_options({"plugins": LightningEnvironment()})


@pytest.mark.usefixtures("job")
def test_job_that_would_hang_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_STEP_ID")
    with pytest.raises(ClusterError, match="put srun in front of it"):
        cluster_options({})


@pytest.mark.usefixtures("job")
def test_trainer_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    trainer = Mock(spec=Trainer)
    trainer.configure_mock(num_devices=2, num_nodes=1, default_root_dir=str(tmp_path))
    check_job(trainer, None)
    (tmp_path / "hpc_ckpt_1.ckpt").touch()
    check_job(trainer, "last.ckpt")
    with pytest.raises(ClusterError, match="resumed from silently"):
        check_job(trainer, None)
    trainer.num_devices = 1
    with pytest.raises(ClusterError, match=r"--ntasks-per-node=2, but the trainer uses 1"):
        check_job(trainer, "last.ckpt")
