import torch

from rvos.callbacks.memory_use import memory_in_gib


def test_a_large_tensor_is_seen_on_the_cpu() -> None:
    before = memory_in_gib(torch.device("cpu"))
    held = torch.ones(64 << 20)
    after = memory_in_gib(torch.device("cpu"))
    assert after["memory/process_gib"] - before["memory/process_gib"] > 0.2
    assert set(after) == {"memory/process_gib"}
    del held
