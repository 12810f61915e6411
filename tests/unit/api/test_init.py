import subprocess
import sys


def test_importing_the_api_loads_nothing_heavy() -> None:
    code = (
        "import sys, swiftlet.api;"
        "heavy = {'torch', 'transformers', 'ruamel.yaml', 'rich', 'cel', 'httpx', 'psutil'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_validators_are_built_on_first_use() -> None:
    code = "from swiftlet.api import FineTuneJob; assert not FineTuneJob.__pydantic_complete__"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
