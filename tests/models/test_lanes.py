"""A batch split between processes writes what it writes in one, whatever happens to them."""

import os
import signal
import subprocess
import sys
import time
from threading import Timer

import numpy as np
import pytest

from nosce.models.socrates import weights
from nosce.models.socrates.decoder import Decoder, Row
from nosce.models.socrates.lanes import Lanes
from nosce.models.socrates.network import Network

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memory is shared on Linux only")
PROMPTS = np.random.default_rng(5).integers(10, 180, (72, 12)).tolist()


@pytest.fixture(scope="module")
def network():
    return Network.load(weights())


def rows(**settings) -> list[Row]:
    return [Row(key, prompt, max_new=40, temperature=0.8, **settings) for key, prompt in enumerate(PROMPTS)]


def started(network: Network, lanes: int = 2) -> Decoder:
    decoder = Decoder(network, slots=72, lanes=lanes)
    until = time.monotonic() + 30
    while decoder._lanes.ready(lanes) < lanes:
        assert time.monotonic() < until, "the other lane did not come up"
        time.sleep(0.02)
    return decoder


@pytest.fixture(scope="module")
def alone(network):
    return [row.tokens for row in Decoder(network, slots=1).run(rows())]


def test_the_other_lane_does_its_half(network, monkeypatch):
    mine = []
    monkeypatch.setattr("nosce.models.socrates.lanes.Worker.work", lambda self, jobs: mine.extend(jobs))
    decoder = started(network)  # what is to be done here is not done: only the other lane's rows get anywhere
    decoder.submit(rows())
    decoder.step()
    decoder.close()
    here = [arguments[0] for name, arguments in mine if name == "run"]
    assert [(each.start, each.stop) for each in here] == [(0, 14), (28, 43), (57, 72)]
    idle = np.concatenate([np.arange(72)[each] for each in here])
    moved = decoder._state.position[:72] - 11
    assert not moved[idle].any()
    assert (np.delete(moved, idle) > 0).all()


def test_two_lanes_write_what_one_row_alone_writes(network, alone):
    decoder = started(network)
    together = [row.tokens for row in decoder.run(rows())]
    decoder.close()
    assert np.mean([a == b for a, b in zip(alone, together, strict=True)]) >= 0.98


@pytest.mark.parametrize("milliseconds", [0, 7, 18, 31])
def test_a_lane_that_is_killed_changes_nothing(network, alone, milliseconds):
    decoder = started(network)
    batch = rows()
    decoder.submit(batch)
    Timer(milliseconds / 1000, decoder._lanes._others[0].process.send_signal, [signal.SIGKILL]).start()
    while decoder.active or decoder.waiting:
        decoder.step()
    time.sleep(milliseconds / 1000)
    decoder.run(rows())
    assert decoder._lanes.ready(2) == 1
    assert np.mean([a == row.tokens for a, row in zip(alone, batch, strict=True)]) >= 0.98
    decoder.close()


def test_lanes_work_with_the_weights_as_they_are_now(network):
    from safetensors.numpy import load_file

    changing = Network.load(weights())
    decoder = started(changing)
    decoder.run(rows())
    changing.load_weights(load_file(weights("socrates-base") / "model.safetensors"))
    found = [row.tokens for row in decoder.run(rows())]
    decoder.close()
    other = [row.tokens for row in Decoder(Network.load(weights("socrates-base")), slots=72, lanes=1).run(rows())]
    assert np.mean([a == b for a, b in zip(found, other, strict=True)]) >= 0.98
    assert found != [row.tokens for row in Decoder(network, slots=72, lanes=1).run(rows())]


def test_lanes_end_with_their_process_even_when_it_is_killed():
    script = """
import time
from nosce.models.socrates import weights
from nosce.models.socrates.lanes import Lanes
from nosce.models.socrates.network import Network
lanes = Lanes(Network.load(weights()), 64, 2)
while lanes.ready(2) < 2: time.sleep(0.02)
print(lanes._others[0].process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        lane = int(process.stdout.readline())
        os.kill(lane, 0)
        process.kill()
    until = time.monotonic() + 10
    while _alive(lane):
        assert time.monotonic() < until, f"lane {lane} outlived its process"
        time.sleep(0.05)


def test_closing_ends_the_lanes_and_a_batch_starts_them_again(network):
    lanes = Lanes(network, 64, 2)
    lanes.ready(2)
    first = lanes._others[0].process
    lanes.close()
    assert first.poll() is not None
    lanes.ready(2)
    assert lanes._others[0].process.pid != first.pid
    lanes.close()


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
