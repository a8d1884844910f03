import importlib.metadata

from rvos.callbacks.run_environment import (
    RECORDED_VARIABLES,
    describe_environment,
    list_packages,
)

_SECRET_WORDS = ("TOKEN", "KEY", "SECRET", "PASS", "CREDENTIAL", "AUTH")


def test_only_chosen_variables_are_taken_over() -> None:
    variables = {"SLURM_JOB_ID": "7", "HF_TOKEN": "hf_x", "AWS_SECRET_ACCESS_KEY": "y", "HOME": "/"}
    environment = describe_environment(4, 2, variables)
    assert environment.variables == {"SLURM_JOB_ID": "7"}
    assert (environment.num_ranks, environment.num_nodes) == (4, 2)
    assert environment.num_cpus >= 1


def test_no_chosen_variable_sounds_like_a_secret() -> None:
    assert not [name for name in RECORDED_VARIABLES if any(word in name for word in _SECRET_WORDS)]


def test_packages_have_their_versions() -> None:
    packages = list_packages()
    assert packages["torch"] == importlib.metadata.version("torch")
    assert list(packages) == sorted(packages, key=str.lower)
