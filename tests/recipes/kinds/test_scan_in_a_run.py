"""A run that looks through data, killed at any moment and started again, ends with the same bytes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from recipe_runs import contents

RECIPE = """\
recipe: top_patches
model: digits
device: cpu
data: {drawings: test, length: 1200}
layers: [conv1, logits]
units: 0-1
batch: 16
"""


def begun(folder: Path) -> subprocess.Popen[bytes]:
    code = "import sys; from lucidtorch.cli.main import run; sys.exit(run(sys.argv[1:]))"
    words = ["run", str(folder.parent / "r.yaml"), "-o", str(folder), "-q"]
    return subprocess.Popen([sys.executable, "-c", code, *words])


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE)
    started = time.monotonic()
    assert begun(tmp_path / "whole").wait(timeout=600) == 0
    seconds = time.monotonic() - started
    whole = contents(tmp_path / "whole")
    moments = random.Random(4)
    killed = 0
    for round_ in range(3):
        folder = tmp_path / f"broken-{round_}"
        process = begun(folder)
        try:
            process.wait(timeout=seconds * moments.uniform(0.3, 0.95))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        assert begun(folder).wait(timeout=600) == 0
        assert contents(folder) == whole
    assert killed
