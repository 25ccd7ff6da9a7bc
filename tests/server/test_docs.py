"""What the documentation says of the service is true of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests.server.clients import completed, picture, upload
from tests.server.running import RunningServer
from tinyjpg_server.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def settings_table() -> str:
    """The table of docs/operations.md, from the settings themselves."""
    lines = ["| Setting | Default | |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "one per core" if field.default_factory else field.default
        shown = f"`{default}`" if default is not None else ""
        lines.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines)


def test_every_setting_is_documented() -> None:
    assert settings_table() in OPERATIONS


def test_every_code_of_a_failure_is_documented() -> None:
    said = (r"code=", r"default_code = ", r"str\] = ", r"Failure\(\s*", r"failure\(4\d\d, ")
    told = rf'(?:{"|".join(said)})"([a-z_]+)"'
    codes = {
        code
        for path in (ROOT / "server" / "tinyjpg_server").rglob("*.py")
        # The command line's own failures are no answers of the API.
        if "admin" not in path.parts
        for code in re.findall(told, path.read_text(encoding="utf-8"))
    }
    assert len(codes) > 30
    only_of_commands = {"plan_exists", "plan_not_found", "user_exists", "user_not_found"}
    assert {code for code in codes - only_of_commands if f"`{code}`" not in API} == set()


def test_the_metrics_named_are_there(client: httpx.Client) -> None:
    named = set(re.findall(r"`(tinyjpg_[a-z_]+)`", OPERATIONS))
    served = client.get("/metrics").text
    assert named
    assert {name for name in named if name not in served} == set()


def test_the_curl_examples_work(
    server: RunningServer, client: httpx.Client, tmp_path: Path
) -> None:
    (tmp_path / "photo.jpg").write_bytes(picture("jpg"))
    image_id = upload(client)["image_id"]
    completed(client, image_id)
    examples = re.findall(r"```bash\n(.*?)```", API, re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        script = _ours(example, server).replace("/123", f"/{image_id}")
        done = subprocess.run(
            ["sh", "-ec", script.replace("curl ", "curl --silent --fail ")],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert done.returncode == 0, script + done.stderr
        assert '"success":true' in done.stdout


def test_the_python_example_works(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(picture("jpg"))
    (example,) = re.findall(r"```python\n(.*?)```", API, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", _ours(example, server)],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "% saved" in done.stdout
    assert (tmp_path / "photo.min.jpg").read_bytes().startswith(b"\xff\xd8\xff")


def _ours(example: str, server: RunningServer) -> str:
    return example.replace("http://127.0.0.1:8000", server.url).replace("YOUR_API_KEY", server.key)


def test_the_screenshots_are_there_and_small() -> None:
    shown = re.findall(r"\((docs/screenshots/[a-z]+\.png)\)", README)
    assert len(shown) == 4
    assert {name for name in shown if (ROOT / name).stat().st_size >= 200_000} == set()
