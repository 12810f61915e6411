from typing import get_args

from swiftlet.api.modeldeployment import Engine
from swiftlet.engines import ENGINES


def test_every_value_of_the_api_has_an_engine() -> None:
    assert set(ENGINES) == set(get_args(Engine.model_fields["name"].annotation))
    assert all(name == engine.name for name, engine in ENGINES.items())


def test_arguments_reach_only_engines_with_a_parser_of_their_own() -> None:
    assert {name for name, engine in ENGINES.items() if engine.allowed_args} == {"auto", "vllm"}
