"""TRL's training variants of published chat templates."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path


def training_variant(template: str) -> str | None:
    """TRL's variant, with `{% generation %}` marks, of this very template; None when TRL has none.

    The same pairs as trl.chat_template_utils.get_training_chat_template, read as files: importing TRL costs seconds.
    """
    return _pairs().get(template)


@cache
def _pairs() -> dict[str, str]:
    spec = find_spec("trl")
    if spec is None or not spec.submodule_search_locations:
        return {}
    folder = Path(spec.submodule_search_locations[0]) / "chat_templates"
    variants = {
        file: file.with_name(f"{file.stem.removesuffix('_training')}.jinja") for file in folder.glob("*_training.jinja")
    }
    return {
        own.read_text(encoding="utf-8"): variant.read_text(encoding="utf-8")
        for variant, own in sorted(variants.items())
        if own.exists()
    }
