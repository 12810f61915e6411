"""Suites from questions to records."""

import copy
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask
from swiftlet_trainer.data.examples import Preference, Relevance
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.evaluate.prompts import answer_ids, choice_ids
from swiftlet_trainer.evaluate.questions import Question
from swiftlet_trainer.evaluate.rows import ChoiceRow, GenerationRow, PerplexityRow
from swiftlet_trainer.evaluate.statistics import value
from swiftlet_trainer.evaluate.suites import run_suite, samples
from swiftlet_trainer.failures import Diverged, InvalidInput
from swiftlet_trainer.models.embedder import Embedder
from swiftlet_trainer.models.reranker import PairPrompt


def _questions(*rows: Any) -> list[Question]:
    return [Question(f"rows.jsonl, line {number}", row) for number, row in enumerate(rows, 1)]


def test_multiple_choice_takes_the_highest_likelihood_per_byte(model: Any, tokenizer: Any, suite: Any) -> None:
    row = ChoiceRow("Who are you?", ["A bird.", "An unusually long sentence about harbours and fog.", "ü"], 1)
    done: list[int] = []
    (record,) = run_suite(suite(multipleChoice={}), _questions(row), "target", model, tokenizer, 2, done.append)
    per_byte = []
    for sequence, choice in zip(choice_ids(tokenizer, row), row.choices, strict=True):
        logits = model(input_ids=torch.tensor([sequence.ids])).logits[0].log_softmax(-1)
        places = [place for place, scored in enumerate(sequence.scored) if scored]
        total = sum(logits[place - 1, sequence.ids[place]].item() for place in places)
        per_byte.append(total / len(choice.encode()))
    best = per_byte.index(max(per_byte))
    assert record.answer == row.choices[best]
    assert record.metrics == {"accuracy": float(best == 1)}
    assert record.reference == row.choices[1]
    assert sum(done) == 1


def test_accuracy_is_the_share_of_right_choices(model: Any, tokenizer: Any, suite: Any) -> None:
    multiple = suite(multipleChoice={})
    choices = ["yes", "no"]
    first = run_suite(multiple, _questions(ChoiceRow("q", choices, 0)), "target", model, tokenizer, 8, lambda n: None)
    right = choices.index(first[0].answer or "")
    rows = [ChoiceRow("q", choices, right), ChoiceRow("q", choices, 1 - right), ChoiceRow("q", choices, right)]
    records = run_suite(multiple, _questions(*rows), "target", model, tokenizer, 8, lambda n: None)
    assert value(samples(multiple, records)["accuracy"]) == pytest.approx(2 / 3)


def test_generation_scores_every_metric_asked_for(model: Any, tokenizer: Any, suite: Any) -> None:
    generation = suite(generation={"metrics": ["contains", "exact_match", "rouge_l"], "maxTokens": 6})
    row = GenerationRow([Turn("user", "Who?")], ["never said"])
    (found,) = run_suite(generation, _questions(row), "target", model, tokenizer, 8, lambda n: None)
    assert set(found.metrics) == {"contains", "exact_match", "rouge_l"}
    again = GenerationRow(row.turns, ["never said", found.answer or ""])
    (record,) = run_suite(generation, _questions(again), "target", model, tokenizer, 8, lambda n: None)
    assert record.metrics["exact_match"] == record.metrics["contains"] == 1
    assert 1 <= record.tokens <= 6


def test_perplexity_is_that_of_all_tokens(model: Any, tokenizer: Any, suite: Any) -> None:
    texts = ["Rain had fallen for three days.", "Bread needs only four ingredients: flour, water, salt and yeast."]
    perplexity = suite(perplexity={})
    questions = _questions(*(PerplexityRow(text=text) for text in texts))
    records = run_suite(perplexity, questions, "target", model, tokenizer, 8, lambda n: None)
    nll = tokens = 0.0
    for text in texts:
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        nll += model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
        tokens += ids.shape[1] - 1
    expected = torch.tensor(nll / tokens).exp().item()
    assert value(samples(perplexity, records)["perplexity"]) == pytest.approx(expected, rel=1e-4)


def test_rows_the_tokenizer_cannot_take_are_all_named(model: Any, tokenizer: Any, suite: Any) -> None:
    rows = [PerplexityRow(text="a"), PerplexityRow(text="good text here"), PerplexityRow(text="b")]
    with pytest.raises(InvalidInput) as caught:
        run_suite(suite(perplexity={}), _questions(*rows), "target", model, tokenizer, 8, lambda n: None)
    first, second = caught.value.problems
    assert first.startswith("rows.jsonl, line 1: no token to score")
    assert second.startswith("rows.jsonl, line 3: no token to score")


@pytest.mark.parametrize("block", [{"generation": {}}, {"perplexity": {}}, {"multipleChoice": {}}])
def test_tokens_beyond_the_embedding_are_refused(suite: Any, model: Any, tokenizer: Any, block: dict[str, Any]) -> None:
    longer = copy.deepcopy(tokenizer)
    longer.add_tokens(["<sql>"])
    rows = {
        "generation": GenerationRow([Turn("user", "<sql>")], ["a"]),
        "perplexity": PerplexityRow("a <sql> b"),
        "multipleChoice": ChoiceRow("a <sql>?", ["b", "c"], 0),
    }
    (name,) = block
    one = suite(**block)
    with pytest.raises(InvalidInput, match=r"'<sql>' of id 49152, .* 49152 rows"):
        run_suite(one, _questions(rows[name]), "target", model, longer, 2, lambda rows: None)


ANSWERS = ["A bird.", "An unusually long sentence about harbours and fog, and more fog.", "No."]


def preference(*texts: str) -> Preference:
    chosen, *rejected = ([Turn("assistant", text)] for text in texts)
    return Preference([Turn("user", "Who?")], chosen, rejected)


@pytest.mark.parametrize("normalized", [True, False])
def test_preferred_is_what_is_likeliest(model: Any, tokenizer: Any, suite: Any, normalized: bool) -> None:
    """Per token, or as a whole, with what ends the answer."""
    row, likelihoods = preference(*ANSWERS), []
    for sequence in answer_ids(tokenizer, row):
        logits = model(input_ids=torch.tensor([sequence.ids])).logits[0].log_softmax(-1)
        places = [place for place, scored in enumerate(sequence.scored) if scored]
        assert tokenizer.decode([sequence.ids[place] for place in places]).endswith("<|im_end|>")
        total = sum(logits[place - 1, sequence.ids[place]].item() for place in places)
        likelihoods.append(total / len(places) if normalized else total)
    best, done = likelihoods.index(max(likelihoods)), list[int]()
    kind = suite(preference={"lengthNormalized": normalized})
    (record,) = run_suite(kind, _questions(row), "target", model, tokenizer, 2, done.append)
    assert record.answer == ANSWERS[best]
    assert record.reference == ANSWERS[0]
    assert record.metrics == {"preference_accuracy": float(best == 0)}
    assert sum(done) == 1


def test_preference_accuracy_is_the_share_of_rows_whose_chosen_answer_wins(
    model: Any, tokenizer: Any, suite: Any
) -> None:
    kind = suite(preference={})
    (first,) = run_suite(kind, _questions(preference("yes", "no")), "target", model, tokenizer, 8, lambda n: None)
    other = "no" if first.answer == "yes" else "yes"
    rows = [preference(first.answer or "", other), preference(other, first.answer or ""), preference(other, "x", other)]
    records = run_suite(kind, _questions(*rows), "target", model, tokenizer, 8, lambda n: None)
    assert [record.metrics["preference_accuracy"] for record in records][:2] == [1, 0]
    assert records[2].metrics["preference_accuracy"] == 0, "as likely is not likelier"
    assert value(samples(kind, records)["preference_accuracy"]) == pytest.approx(1 / 3)


def test_earlier_answers_of_a_prompt_are_not_compared(model: Any, tokenizer: Any) -> None:
    said = [Turn("user", "Who?"), Turn("assistant", "Me."), Turn("user", "Who else?")]
    found, _ = answer_ids(tokenizer, Preference(said, [Turn("assistant", "Nobody.")], [[Turn("assistant", "You.")]]))
    scored = [one for one, counts in zip(found.ids, found.scored, strict=True) if counts]
    assert tokenizer.decode(scored) == "Nobody.<|im_end|>"


DOCUMENTS = ["Rain had fallen for three days.", "Bread needs four ingredients.", "A bird.", "No, never, said the fog."]
RELEVANCE = [
    Relevance("What is in bread?", DOCUMENTS[1:3], [1.0, 0.0]),
    Relevance("Was it wet?", [DOCUMENTS[0], DOCUMENTS[3], DOCUMENTS[2]], [1.0, 0.0, 0.0]),
]


def cosine(model: Any, tokenizer: Any, query: str, document: str, pooling: str) -> float:
    vectors = []
    for text in (query, document):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        hidden = model(input_ids=ids, output_hidden_states=True).hidden_states[-1][0]
        vectors.append({"last": hidden[-1], "mean": hidden.mean(0), "cls": hidden[0]}[pooling])
    return torch.nn.functional.cosine_similarity(*vectors, dim=0).item()


@pytest.mark.parametrize(("corpus", "pooling"), [("all", "last"), ("all", "mean"), ("row", "mean")])
def test_documents_are_ranked_by_their_cosine(
    model: Any, tokenizer: Any, suite: Any, corpus: str, pooling: str
) -> None:
    """Each text by itself, as the tokenizer has it, behind the prompt of its kind; those of all rows, or of the own."""
    kind, done = suite(retrieval={"corpus": corpus}), list[int]()
    embedder = Embedder(pooling, "Query: ", "Text: ")  # type: ignore[arg-type]
    records = run_suite(kind, _questions(*RELEVANCE), "target", model, tokenizer, 2, done.append, embedder)
    for row, record in zip(RELEVANCE, records, strict=True):
        among = row.documents if corpus == "row" else DOCUMENTS
        score = {text: cosine(model, tokenizer, f"Query: {row.query}", f"Text: {text}", pooling) for text in among}
        order = sorted(among, key=lambda text: -score[text])
        assert record.answer == order[0]
        assert record.reference == row.positives[0]
        assert record.metrics["mrr"] == pytest.approx(1 / (1 + order.index(row.positives[0])))
    assert sum(done) == 2
    assert {*samples(kind, records)} == {"mrr", "ndcg_at_10", "recall_at_1", "recall_at_10"}


def test_documents_are_ranked_by_what_a_generative_reranker_answers(model: Any, tokenizer: Any, suite: Any) -> None:
    prompt = PairPrompt(RerankerTask(generative=True, positive_token="Yes", negative_token="No"), "Judge.")
    kind, done = suite(retrieval={"corpus": "row"}), list[int]()
    records = run_suite(kind, _questions(*RELEVANCE), "target", model, tokenizer, 2, done.append, prompt)
    yes, no = tokenizer.convert_tokens_to_ids(["Yes", "No"])
    for row, record in zip(RELEVANCE, records, strict=True):
        score = {}
        for text in row.documents:
            asked = [{"role": "user", "content": f"Query: {row.query}\nDocument: {text}"}]
            said = [{"role": "system", "content": "Judge."}, *asked]
            given = tokenizer.apply_chat_template(
                said, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
            answer = model(**given).logits[0, -1].log_softmax(-1)
            score[text] = (answer[yes] - answer[no]).item()
        order = sorted(row.documents, key=lambda text: -score[text])
        assert record.answer == order[0]
        assert record.metrics["mrr"] == pytest.approx(1 / (1 + order.index(row.positives[0])))
    assert sum(done) == 2


def test_a_text_is_cut_to_the_longest(model: Any, tokenizer: Any, suite: Any) -> None:
    row = Relevance("q " * 40, ["a " * 40, "b"], [1.0, 0.0])
    (record,) = run_suite(suite(retrieval={"maxLength": 16}), _questions(row), "target", model, tokenizer, 2, id)
    assert record.tokens == 16


def test_vectors_that_are_no_numbers_name_their_rows(model: Any, tokenizer: Any, suite: Any) -> None:
    broken = copy.deepcopy(model)
    with torch.no_grad():
        broken.model.norm.weight.fill_(float("nan"))
    with pytest.raises(Diverged, match=r"target: .*not finite[\s\S]*rows.jsonl, line \d"):
        run_suite(suite(retrieval={}), _questions(*RELEVANCE), "target", broken, tokenizer, 2, id)
