from typing import Any

from swiftlet_trainer.templates.variants import _pairs, training_variant


def test_the_pairs_are_those_of_trl(tokenizer: Any) -> None:
    import copy

    from trl.chat_template_utils import get_training_chat_template

    assert len(_pairs()) > 20
    changed = copy.copy(tokenizer)
    for own, variant in _pairs().items():
        changed.chat_template = own
        assert get_training_chat_template(changed) == variant


def test_other_templates_have_none(tokenizer: Any) -> None:
    assert training_variant(tokenizer.chat_template) is None
