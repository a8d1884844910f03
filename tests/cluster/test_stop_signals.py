import os
import signal
import threading

import pytest

from rvos.cluster.stop_signals import (
    SignalNameError,
    StopRequest,
    StopSignals,
    restored_handlers,
)


def test_greatest_request_counts_in_any_order() -> None:
    for order in ([signal.SIGUSR1, signal.SIGUSR2], [signal.SIGUSR2, signal.SIGUSR1]):
        with restored_handlers():
            signals = StopSignals({"SIGUSR1": StopRequest.REQUEUE, "SIGUSR2": StopRequest.STOP})
            signals.install()
            for number in order:
                os.kill(os.getpid(), number)
        assert signals.received is StopRequest.REQUEUE


def test_nothing_happens_without_a_signal() -> None:
    with restored_handlers():
        signals = StopSignals({"SIGUSR1": StopRequest.REQUEUE})
        signals.install()
    assert signals.received is StopRequest.NONE


def test_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGUSR1)

    def fail() -> None:
        with restored_handlers():
            StopSignals({"SIGUSR1": StopRequest.STOP}).install()
            assert signal.getsignal(signal.SIGUSR1) is not before
            message = "inside"
            raise ValueError(message)

    with pytest.raises(ValueError, match="inside"):
        fail()
    assert signal.getsignal(signal.SIGUSR1) is before


def test_unknown_signal() -> None:
    with pytest.raises(SignalNameError, match="no signal 'USR1'"):
        StopSignals({"USR1": StopRequest.STOP})


def test_another_thread_changes_nothing() -> None:
    before = signal.getsignal(signal.SIGUSR1)

    def install() -> None:
        with restored_handlers():
            StopSignals({"SIGUSR1": StopRequest.STOP}).install()

    thread = threading.Thread(target=install)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGUSR1) is before
