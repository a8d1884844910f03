import dataclasses
import subprocess
import sys

from rvos.structures.process_identity import is_alive, this_process


def _identity_of_a_child() -> tuple["subprocess.Popen[str]", str]:
    script = (
        "from rvos.structures.process_identity import this_process\n"
        "print(this_process(), flush=True)\n"
        "input()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    return child, child.stdout.readline()


def test_a_process_is_alive_until_it_ends() -> None:
    child, text = _identity_of_a_child()
    me = this_process()
    ticks = int(text.rpartition("started_ticks=")[2].strip(")\n"))
    identity = dataclasses.replace(me, pid=child.pid, started_ticks=ticks)
    assert is_alive(identity) is True
    # The same number, given to another process later.
    assert is_alive(dataclasses.replace(identity, started_ticks=ticks + 1)) is False
    child.kill()
    # Killed and not waited for yet: a zombie.
    assert child.stdout is not None
    child.stdout.read()
    while child.poll() is None:
        pass
    assert is_alive(identity) is False


def test_another_machine_cannot_be_asked() -> None:
    me = this_process()
    assert is_alive(dataclasses.replace(me, machine="elsewhere")) is None
    assert is_alive(dataclasses.replace(me, machine="")) is None


def test_errors_and_records_need_no_torch() -> None:
    script = (
        "import sys, rvos.structures.errors, rvos.structures.run_record\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
        "from rvos.structures import VideoBatch\n"
        "assert VideoBatch.__module__ == 'rvos.structures.video'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_public_name_is_where_it_is_said_to_be() -> None:
    import rvos.structures as package

    for name in package.__all__:
        assert getattr(package, name).__name__ == name
