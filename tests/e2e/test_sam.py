"""The same template and functions through AWS's own tool, as they go to AWS."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".venvs" / "sam" / "bin" / "sam"
SAM_DEADLINE_S = 150
IMPORT_ENTRY = "import app; print(sorted(app.app.routes))"


def sam(stack, *words):
    return subprocess.run(
        [SAM, *words],
        cwd=ROOT,
        env=os.environ
        | {
            "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{stack.environment['LOCALSTACK_PORT']}",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SAM_DEADLINE_S,
        check=False,
    )


def test_sam_builds_what_lambda_can_start_and_packages_it(stack, tmp_path):
    built = sam(stack, "build", "--build-dir", str(tmp_path))
    assert built.returncode == 0, built.stdout + built.stderr
    for function, route in (("PredictFunction", "/predict"), ("ResultsFunction", "/results/{task_id}")):
        routes = subprocess.run(
            [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {IMPORT_ENTRY}"],
            cwd=tmp_path / function,
            env={"DATABASE_URL": "postgresql://nobody@127.0.0.1/none", "BROKER_URL": "redis://127.0.0.1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert route in routes

    packaged = sam(
        stack,
        "package",
        "--template-file",
        str(tmp_path / "template.yaml"),
        "--s3-bucket",
        "inference-packages",
        "--output-template-file",
        str(tmp_path / "packaged.yaml"),
    )

    assert packaged.returncode == 0, packaged.stdout + packaged.stderr
    assert (tmp_path / "packaged.yaml").read_text().count("s3://inference-packages/") == 2
