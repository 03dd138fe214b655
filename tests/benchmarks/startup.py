"""Time from starting `python app.py` to the page being up and to the first answer, first with nothing, then again.

    python tests/benchmarks/startup.py [--pages DIR]

The first start unpacks the model into an empty cache and builds the archive; the second finds both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import click

APP = Path(__file__).parents[2] / "app.py"
PORT = 7899
QUESTION = "慈善会一共派发了多少个暖心包？"
PATIENCE_S = 300


def wait_for(request: urllib.request.Request, started: float) -> float:
    """Return the seconds from the start until the request succeeds."""
    while time.monotonic() - started < PATIENCE_S:
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                if response.status == 200:
                    return time.monotonic() - started
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.1)
    raise click.ClickException(f"no answer within {PATIENCE_S} s")


def one_start(folder: Path) -> tuple[float, float]:
    """Return the seconds until the page is up and until a question is answered."""
    started = time.monotonic()
    environment = os.environ | {"WENBAO_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, str(APP), "--port", str(PORT), "--index", str(folder / "index")]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            page = wait_for(urllib.request.Request(f"http://127.0.0.1:{PORT}/"), started)
            body = json.dumps({"question": QUESTION}).encode()
            headers = {"Content-Type": "application/json"}
            ask = urllib.request.Request(f"http://127.0.0.1:{PORT}/api/ask", body, headers)
            return page, wait_for(ask, started)
        finally:
            process.terminate()


@click.command()
def main() -> None:
    """Print one table."""
    with tempfile.TemporaryDirectory() as folder:
        click.echo("| start | page up, s | first answer, s |\n|---|---|---|")
        for name in ("first (nothing unpacked, no archive)", "later"):
            page, answer = one_start(Path(folder))
            click.echo(f"| {name} | {page:.1f} | {answer:.1f} |")


if __name__ == "__main__":
    main()
