import copy
import json
import threading
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from swiftlet_trainer.data.prepare import prepare
from swiftlet_trainer.data.prepared import PreparedData, open_prepared
from swiftlet_trainer.failures import InvalidInput

Chat = Callable[..., dict[str, Any]]
ROWS = 24


@pytest.fixture
def rows(chat: Chat) -> list[dict[str, Any]]:
    return [chat(f"Question {i}?", f"Answer {i}. " + "word " * i) for i in range(ROWS)]


def learnt(tokenizer: Any, row: dict[str, Any]) -> str:
    return tokenizer.decode([token for token in row["labels"] if token != -100])


def refused(pod: Any, tokenizer: Any, *datasets: dict[str, Any], **changes: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        prepare(pod.document(*datasets, **changes), tokenizer)
    assert not list((pod.root / "swiftlet/artifacts/bird/data").glob("[!.]*")), "nothing is left of a refused run"
    assert not list((pod.root / "swiftlet/artifacts/bird/data").glob(".building*"))
    return caught.value


def test_only_what_the_assistant_says_is_learnt(pod: Any, tokenizer: Any, chat: Chat) -> None:
    data = pod.data("a.jsonl", [chat("Who?", "{{NAME}}.", "Sure?", "Yes, 日本 🙂", "Trailing question")])
    prepared = prepare(pod.document({**data, "placeholders": {"NAME": "Apus"}}), tokenizer)
    (row,) = prepared.train
    assert learnt(tokenizer, row) == "Apus.<|im_end|>Yes, 日本 🙂<|im_end|>"
    text = tokenizer.decode(row["input_ids"])
    assert "Who?" in text and "Trailing" not in text
    assert row["length"] == len(row["input_ids"]) == len(row["labels"])


def test_ids_are_those_of_the_models_own_template(pod: Any, tokenizer: Any, chat: Chat) -> None:
    conversation = chat("Hi, 2024!", "Hello\n there ", "?", "x")
    (row,) = prepare(pod.document(pod.data("a.jsonl", [conversation])), tokenizer).train
    expected = tokenizer.apply_chat_template(conversation["messages"], tokenize=True, return_dict=False)
    assert row["input_ids"] == expected


def test_system_message_of_the_document_is_for_rows_without_one(pod: Any, tokenizer: Any, chat: Chat) -> None:
    own = {"messages": [{"role": "system", "content": "Mine."}, *chat("a", "b")["messages"]]}
    document = pod.document(pod.data("a.jsonl", [chat("a", "b"), own]), template={"system": "Ours."})
    first, second = (tokenizer.decode(row["input_ids"]) for row in prepare(document, tokenizer).train)
    assert first.startswith("<|im_start|>system\nOurs.<|im_end|>")
    assert second.startswith("<|im_start|>system\nMine.<|im_end|>") and "Ours" not in second


def test_every_token_is_learnt_when_the_task_says_so(pod: Any, tokenizer: Any, chat: Chat) -> None:
    document = pod.document(pod.data("a.jsonl", [chat("a", "b")]), task={"sft": {"assistantOnlyLoss": False}})
    (row,) = prepare(document, tokenizer).train
    assert row["labels"] == row["input_ids"]


def test_plain_text_ends_in_the_end_token_and_needs_no_chat_template(pod: Any, tokenizer: Any) -> None:
    bare = copy.copy(tokenizer)
    bare.chat_template = None
    (row,) = prepare(pod.document(pod.data("a.csv", "text\nSome words.\n")), bare).train
    assert tokenizer.decode(row["input_ids"]) == "Some words.<|im_end|>" and row["labels"] == row["input_ids"]


def weighed(*answers: tuple[str, float | None]) -> dict[str, Any]:
    """Questions and answers, each of which has its weight."""
    pairs = [
        ({"role": "user", "content": "Q?"}, {"role": "assistant", "content": text, "weight": weight})
        for text, weight in answers
    ]
    return {"messages": [turn for pair in pairs for turn in pair]}


def by_weight(tokenizer: Any, row: dict[str, Any]) -> list[tuple[float, str]]:
    """What is learnt of a row, by runs of one weight."""
    tokens = zip(row["input_ids"], row["labels"], row["weights"], strict=True)
    runs = groupby(((weight, label) for _, label, weight in tokens), key=lambda one: one[0])
    return [(weight, tokenizer.decode([label for _, label in run])) for weight, run in runs if weight]


def test_answers_have_the_weights_of_their_marks(pod: Any, tokenizer: Any, chat: Chat) -> None:
    rows = [chat("Who?", "No mark."), weighed(("First.", 0.5), ("Second.", 0), ("Third.", None), ("Fourth.", 2.25))]
    plain, row = prepare(pod.document(pod.data("a.jsonl", rows)), tokenizer).train
    assert by_weight(tokenizer, row) == [
        (0.5, "First.<|im_end|>"),
        (1.0, "Third.<|im_end|>"),
        (2.25, "Fourth.<|im_end|>"),
    ]
    assert by_weight(tokenizer, plain) == [(1.0, "No mark.<|im_end|>")]
    for one in (plain, row):
        assert [label == -100 for label in one["labels"]] == [weight == 0 for weight in one["weights"]]


def test_rows_before_the_first_weight_are_given_theirs(
    pod: Any, tokenizer: Any, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swiftlet_trainer.data.encode.BATCH", 2)
    rows = [*(chat(f"{i}?", f"Answer {i}.") for i in range(5)), weighed(("Heavy.", 3)), chat("q", "Last.")]
    found = prepare(pod.document(pod.data("a.jsonl", rows)), tokenizer).train
    said = [by_weight(tokenizer, row) for row in found]
    assert said[:5] == [[(1.0, f"Answer {i}.<|im_end|>")] for i in range(5)]
    assert said[5:] == [[(3.0, "Heavy.<|im_end|>")], [(1.0, "Last.<|im_end|>")]]
    assert not list(pod.root.rglob("*.narrow"))


def test_without_weights_nothing_of_them_is_written(pod: Any, tokenizer: Any, chat: Chat) -> None:
    rows = [
        chat("a", "b"),
        weighed(("x", 1), ("y", 0), ("z", None)),
        {"messages": chat("a", "c")["messages"], "loss": 1},
    ]
    assert "weights" not in prepare(pod.document(pod.data("a.jsonl", rows)), tokenizer).train.column_names


def test_a_texts_weight_is_that_of_each_of_its_pieces(pod: Any, tokenizer: Any) -> None:
    rows = [{"text": "word " * 30, "weight": 0.25}, {"text": "no mark"}]
    document = pod.document(pod.data("a.jsonl", rows), template={"maxLength": 16})
    found = prepare(document, tokenizer).train
    assert [set(row["weights"]) for row in found] == [{0.25}, {0.25}, {1.0}]
    assert all(len(row["weights"]) == row["length"] for row in found)


def test_packed_sequences_have_the_weights_of_their_rows(pod: Any, tokenizer: Any, chat: Chat) -> None:
    rows = [chat("a", "plain"), weighed(("half", 0.5), ("none", 0), ("one", 1)), weighed(("twice", 2))]
    document = pod.document(pod.data("a.jsonl", rows), template={"packing": True, "maxLength": 256})
    (sequence,) = prepare(document, tokenizer).train
    assert sorted(by_weight(tokenizer, sequence)) == [
        (0.5, "half<|im_end|>"),
        (1.0, "one<|im_end|>"),
        (1.0, "plain<|im_end|>"),
        (2.0, "twice<|im_end|>"),
    ]


def test_every_token_cannot_be_learnt_with_other_weights(pod: Any, tokenizer: Any) -> None:
    data = pod.data("a.jsonl", [weighed(("x", 0.5))])
    caught = refused(pod, tokenizer, data, task={"sft": {"assistantOnlyLoss": False}})
    assert "marked with the weight 0.5, and task.sft.assistantOnlyLoss: false learns every token" in str(caught)


@pytest.mark.parametrize("task", [{"dpo": {}}, {"rm": {}}])
def test_whole_answers_are_compared(pod: Any, tokenizer: Any, task: dict[str, Any]) -> None:
    answers = {"chosen": [{"role": "assistant", "content": "y", "weight": 0.5}], "rejected": "n"}
    rows = [{"prompt": "a", **answers}, {"prompt": "a", "chosen": "y", "rejected": "n", "weight": 2}]
    problems = str(refused(pod, tokenizer, pod.data("a.jsonl", rows), task=task))
    assert "turn 0 of chosen is marked with the weight 0.5; whole answers are judged: leave the mark out" in problems
    assert "the row is marked with the weight 2; whole answers are judged" in problems


def test_rows_left_out_are_counted_by_reason(pod: Any, tokenizer: Any, chat: Chat) -> None:
    data = pod.data(
        "a.jsonl",
        [
            chat("q", "kept"),
            chat("no answer"),
            chat("q", "  "),
            chat("ignore <|im_end|>", "a"),
            chat("q", "injected <|im_start|>system"),
            chat("q", "long " * 200),
            chat(" ", ""),
        ],
    )
    counts = prepare(pod.document(data, template={"maxLength": 64}), tokenizer).counts
    assert (counts.read, counts.used) == (7, 3)
    assert counts.dropped == {"no_assistant_turn": 2, "too_long": 1, "empty": 1}


def test_too_long_rows_by_each_policy(pod: Any, tokenizer: Any, chat: Chat) -> None:
    data = pod.data("a.jsonl", [chat("q", "short"), chat("q", "long " * 200), chat("long " * 200, "a")])
    dropped = prepare(pod.document(data, template={"maxLength": 64, "truncation": "drop"}), tokenizer)
    assert dropped.counts.dropped == {"too_long": 2}
    cut = prepare(pod.document(data, template={"maxLength": 64, "truncation": "truncate"}), tokenizer)
    assert sorted(cut.train["length"])[-1] == 64 and len(cut.train) == 2
    assert cut.counts.dropped == {"no_labels": 1}, "the answer was cut off"


def test_too_long_rows_fail_the_run_when_asked(pod: Any, tokenizer: Any, chat: Chat) -> None:
    data = pod.data("a.jsonl", [chat("q", "short"), chat("q", "long " * 200)])
    error = refused(pod, tokenizer, data, template={"maxLength": 64, "truncation": "fail"})
    assert (
        error.problems[0].startswith("a.jsonl:2: ")
        and "tokens, template.maxLength is 64; raise it" in error.problems[0]
    )


@pytest.mark.parametrize("packing", [False, True])
def test_rows_beyond_the_models_context_are_too_long(
    pod: Any, smollm2: Path, tokenizer: Any, chat: Chat, packing: bool
) -> None:
    folder = pod.root / "swiftlet/models/small"
    folder.mkdir(parents=True)
    for file in smollm2.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "config.json").unlink()
    config = json.loads((smollm2 / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 64}))
    model = {"uri": "pvc://models/small", "path": "/swiftlet/models/small"}
    data = pod.data("a.jsonl", [chat("q", "short"), chat("q", "long " * 200)])
    error = refused(
        pod, tokenizer, data, model=model, template={"maxLength": 512, "packing": packing, "truncation": "fail"}
    )
    assert "tokens, the model's context is 64; shorten the row" in error.problems[0]
    prepared = prepare(pod.document(data, model=model, template={"maxLength": 512, "packing": packing}), tokenizer)
    assert prepared.counts.dropped == {"too_long": 1}


def test_nothing_left_is_refused_with_the_counts(pod: Any, tokenizer: Any, chat: Chat) -> None:
    error = refused(pod, tokenizer, pod.data("a.jsonl", [chat("no answer"), chat("", "")]))
    assert error.problems == [
        "a.jsonl: none of its 2 rows is left (1 empty, 1 no_assistant_turn); "
        "a.jsonl:1: dropped (no_assistant_turn): no turn of the assistant to learn from"
    ]
    assert error.dataset is not None and error.dataset.read == 2


def test_all_problems_of_all_files_at_once(pod: Any, tokenizer: Any, chat: Chat) -> None:
    good = json.dumps(chat("q", "a"))
    error = refused(
        pod,
        tokenizer,
        pod.data("syntax.jsonl", f"{good}\n{{oops\n{good}\n"),
        pod.data("bytes.jsonl", good.encode() + b'\n{"messages": "\xff"}\n'),
        pod.data("empty.jsonl", ""),
        {"uri": "absent.jsonl", "path": "/swiftlet/data/0/absent.jsonl"},
        pod.data("shape.jsonl", [{"question": "q"}]),
        {**pod.data("names.jsonl", [chat("q", "{{WHO}}")]), "placeholders": {"NAME": "Apus"}},
    )
    starts = [
        "syntax.jsonl:2: malformed JSON at column 2",
        "bytes.jsonl:2: not UTF-8: byte 0xff",
        "empty.jsonl: the file is empty",
        "absent.jsonl: no such file",
        "shape.jsonl:1: columns question are of no known format",
        "names.jsonl:1: placeholder {{WHO}} has no value (given: NAME)",
    ]
    assert len(error.problems) == len(starts)
    for problem, start in zip(error.problems, starts, strict=True):
        assert problem.startswith(start), problem


def test_the_first_ten_bad_rows_are_told_and_the_others_counted(pod: Any, tokenizer: Any) -> None:
    error = refused(pod, tokenizer, pod.data("a.jsonl", [{"messages": 1}] * 25))
    assert error.problems[9].startswith("a.jsonl:10: ")
    assert error.problems[10:] == ["a.jsonl: and 15 more rows like these"]


def test_template_that_refuses_a_row(pod: Any, tokenizer: Any, chat: Chat) -> None:
    strict = copy.copy(tokenizer)
    strict.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system here') }}{% endif %}"
        "{{ m.role }}:{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
    )
    own = {"messages": [{"role": "system", "content": "s"}, *chat("a", "b")["messages"]]}
    prepared = prepare(pod.document(pod.data("a.jsonl", [own, chat("a", "b")])), strict)
    assert prepared.counts.dropped == {"template_refused": 1} and len(prepared.train) == 1


def test_mix_of_data_sets(pod: Any, tokenizer: Any, rows: list[Any], chat: Chat) -> None:
    document = pod.document(
        {**pod.data("a.jsonl", rows), "sample": 10, "weight": 2.0},
        pod.data("b.jsonl", [chat("b", "b")]),
        {**pod.data("held.jsonl", rows[:3]), "split": "eval"},
        training={"evalFraction": 0.2},
    )
    prepared = prepare(document, tokenizer)
    assert sorted(prepared.train["dataset"]) == [0] * 16 + [1]
    assert prepared.eval is not None and sorted(prepared.eval["dataset"]) == [0] * 2 + [2] * 3
    assert (prepared.counts.used, prepared.counts.eval_rows) == (17, 5)
    assert prepared.counts.tokens == sum(prepared.train["length"])
    ours = {tuple(row) for row in prepared.train["input_ids"]}
    assert not ours & {tuple(row["input_ids"]) for row in prepared.eval if row["dataset"] == 0}


def test_packing_keeps_every_row_whole(pod: Any, tokenizer: Any, rows: list[Any]) -> None:
    data = pod.data("a.jsonl", rows)
    loose = prepare(pod.document(data, training={"evalFraction": 0.1}), tokenizer)
    packed = prepare(
        pod.document(data, training={"evalFraction": 0.1}, template={"packing": True, "maxLength": 256}), tokenizer
    )

    def parts(prepared: PreparedData) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        found = []
        for row in prepared.train:
            ends = np.cumsum(row["seq_lengths"]).tolist()
            assert ends[-1] == row["length"] == len(row["labels"]) <= 256
            for start, end in zip([0, *ends], ends, strict=False):
                found.append((tuple(row["input_ids"][start:end]), tuple(row["labels"][start:end])))
        return sorted(found)

    assert parts(packed) == sorted((tuple(row["input_ids"]), tuple(row["labels"])) for row in loose.train)
    assert len(packed.train) < len(loose.train) / 2
    assert packed.eval is not None and loose.eval is not None
    assert packed.eval["input_ids"][:] == loose.eval["input_ids"][:], "what is held out is never packed"


def test_second_call_opens_what_the_first_wrote(pod: Any, tokenizer: Any, rows: list[Any]) -> None:
    document = pod.document(pod.data("a.jsonl", rows))
    first = prepare(document, tokenizer)
    before = (first.folder / "rows.arrow").stat().st_mtime_ns
    assert prepare(document, tokenizer).folder == first.folder
    assert (first.folder / "rows.arrow").stat().st_mtime_ns == before
    opened = open_prepared(document)
    assert opened.train["input_ids"][:] == first.train["input_ids"][:]
    assert (opened.counts, opened.digest) == (first.counts, first.digest)


@pytest.mark.parametrize(
    "changes",
    [{"template": {"maxLength": 512}}, {"training": {"seed": 7}}, {"task": {"sft": {"assistantOnlyLoss": False}}}],
)
def test_other_settings_are_prepared_anew(pod: Any, tokenizer: Any, rows: list[Any], changes: dict[str, Any]) -> None:
    data = pod.data("a.jsonl", rows)
    prepare(pod.document(data), tokenizer)
    with pytest.raises(InvalidInput, match="the data is not prepared; run `swiftlet_trainer prepare`"):
        open_prepared(pod.document(data, **changes))


def test_the_digest_follows_the_content_and_not_the_place(pod: Any, tokenizer: Any, rows: list[Any]) -> None:
    one = prepare(pod.document(pod.data("a.jsonl", rows)), tokenizer)
    moved = prepare(pod.document(pod.data("b.jsonl", rows)), tokenizer)
    other = prepare(pod.document(pod.data("a.jsonl", rows[1:])), tokenizer)
    assert one.digest == moved.digest and one.folder == moved.folder
    assert other.digest != one.digest


def test_two_writers_at_once_leave_one_result(pod: Any, tokenizer: Any, rows: list[Any]) -> None:
    document = pod.document(pod.data("a.jsonl", rows))
    results: list[Path] = []
    threads = [threading.Thread(target=lambda: results.append(prepare(document, tokenizer).folder)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3 and len(set(results)) == 1
    assert [path.name for path in results[0].parent.glob("[!.]*")] == [results[0].name]


def test_what_a_killed_process_left_is_swept(pod: Any, tokenizer: Any, rows: list[Any]) -> None:
    left = pod.root / "swiftlet/artifacts/bird/data/.building-old"
    left.mkdir(parents=True)
    (left / "rows.arrow").write_bytes(b"half")
    prepare(pod.document(pod.data("a.jsonl", rows)), tokenizer)
    assert not left.exists()


def test_counts_are_reported(pod: Any, tokenizer: Any, rows: list[Any]) -> None:
    prepared = prepare(pod.document(pod.data("a.jsonl", rows)), tokenizer)
    events = [json.loads(line) for line in (pod.root / "swiftlet/run/progress.jsonl").read_text().splitlines()]
    assert events[-1]["type"] == "dataset" and events[-1]["dataset"]["used"] == ROWS == prepared.counts.used


def test_a_row_that_the_assistant_begins_is_learnt_and_stops_no_other(pod: Any, tokenizer: Any, chat: Chat) -> None:
    first = {"conversations": [{"from": "gpt", "value": "Welcome!"}, {"from": "human", "value": "hi"}]}
    both = {"conversations": [*first["conversations"], {"from": "gpt", "value": "hello"}]}
    (one, two) = prepare(pod.document(pod.data("a.jsonl", [first, both])), tokenizer).train
    assert learnt(tokenizer, one) == "Welcome!<|im_end|>"
    assert learnt(tokenizer, two) == "Welcome!<|im_end|>hello<|im_end|>"
    text = tokenizer.decode(two["input_ids"])
    assert text.startswith("<|im_start|>system\n") and "<|im_end|>\n<|im_start|>assistant\nWelcome!" in text


REWRITING = (
    "{% for m in messages %}<{{ m.role }}>{% if loop.last %}{{ m.content }}{% else %}{{ m.content | upper }}{% endif %}"
    "{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


def test_templates_without_turns_that_can_be_found_do_where_everything_is_learnt(
    pod: Any, tokenizer: Any, chat: Chat
) -> None:
    odd = copy.copy(tokenizer)
    odd.chat_template = REWRITING
    data = pod.data("a.jsonl", [chat("a", "b", "c", "d")])
    assert "writes turn 1 otherwise once others follow" in refused(pod, odd, data).problems[0]
    (row,) = prepare(pod.document(data, task={"sft": {"assistantOnlyLoss": False}}), odd).train
    assert row["labels"] == row["input_ids"] and tokenizer.decode(row["labels"]).startswith("<user>A<|im_end|>")


def test_answers_marked_not_to_be_learnt_are_context(pod: Any, tokenizer: Any, chat: Chat) -> None:
    row = chat("Capital of Peru?", "Quito.", "No, again.", "Lima.")
    row["messages"][1]["weight"] = 0
    error = refused(pod, tokenizer, pod.data("b.jsonl", [{**chat("q", "a"), "loss_mask": [0, 0]}]))
    assert "1 not_learnt" in error.problems[0] and "marked not to be learnt" in error.problems[0]
    (found,) = prepare(pod.document(pod.data("a.jsonl", [row])), tokenizer).train
    assert learnt(tokenizer, found) == "Lima.<|im_end|>" and "Quito." in tokenizer.decode(found["input_ids"])


def test_marks_that_the_task_cannot_carry_out_are_refused(pod: Any, tokenizer: Any, chat: Chat) -> None:
    user, answer = chat("q", "a"), chat("q", "a")
    user["messages"][0]["train"], answer["messages"][1]["train"] = True, False
    assert (
        "turn 0 of the user is marked to be learnt" in refused(pod, tokenizer, pod.data("a.jsonl", [user])).problems[0]
    )
    task = {"sft": {"assistantOnlyLoss": False}}
    error = refused(pod, tokenizer, pod.data("b.jsonl", [answer]), task=task)
    assert "learns every token; leave one of them out" in error.problems[0]


def test_an_empty_answer_between_others_drops_its_row(pod: Any, tokenizer: Any, chat: Chat) -> None:
    prepared = prepare(pod.document(pod.data("a.jsonl", [chat("q", "", "r", "a"), chat("q", "a", "r", "")])), tokenizer)
    assert prepared.counts.dropped == {"empty_answer": 1}
    assert prepared.notes == [
        "a.jsonl:1: dropped (empty_answer): turn 1 of the assistant is empty; nothing would be answered"
    ]


@pytest.mark.parametrize("packing", [False, True])
def test_long_texts_are_split_and_nothing_is_lost(pod: Any, tokenizer: Any, packing: bool) -> None:
    texts = ["word " * size for size in (10, 31, 32, 33, 63, 64, 65, 200)]
    data = pod.data("a.jsonl", [{"text": text} for text in texts])
    prepared = prepare(pod.document(data, template={"maxLength": 32, "packing": packing}), tokenizer)
    assert prepared.counts.dropped == {} and prepared.counts.read == len(texts)
    assert max(prepared.train["length"]) <= 32
    tokens = sum(len(tokenizer(text)["input_ids"]) + 1 for text in texts)
    assert prepared.counts.tokens == tokens
    if not packing:
        assert min(prepared.train["length"]) > 1
        joined = [token for row in prepared.train["input_ids"] for token in row]
        assert joined == [one for text in texts for one in [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]]


def test_text_that_looks_like_a_control_token_is_text(pod: Any, tokenizer: Any) -> None:
    (row,) = prepare(pod.document(pod.data("a.jsonl", [{"text": "The <|im_end|> price"}])), tokenizer).train
    assert tokenizer.decode(row["input_ids"]) == "The <|im_end|> price<|im_end|>"
    assert row["input_ids"].count(tokenizer.eos_token_id) == 1


def test_tokens_do_not_depend_on_the_day(pod: Any, tokenizer: Any, chat: Chat) -> None:
    dated = copy.copy(tokenizer)
    dated.chat_template = "{{ strftime_now('%d %b %Y') }} " + tokenizer.chat_template
    (row,) = prepare(pod.document(pod.data("a.jsonl", [chat("q", "a")])), dated).train
    assert tokenizer.decode(row["input_ids"]).startswith("26 Jul 2024 ")


def test_a_template_that_leaves_a_turn_out_drops_the_row(pod: Any, tokenizer: Any, chat: Chat) -> None:
    deaf = copy.copy(tokenizer)
    deaf.chat_template = (
        "{% for m in messages %}{% if m.role != 'tool' %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    )
    row = chat("q", "a", "r", "b")
    row["messages"][2]["role"] = "tool"
    prepared = prepare(pod.document(pod.data("a.jsonl", [row, chat("q", "a")])), deaf)
    assert prepared.counts.dropped == {"template_refused": 1} and "does not write results of tools" in prepared.notes[0]


def test_what_was_dropped_and_why_is_in_the_log(
    pod: Any, tokenizer: Any, chat: Chat, capsys: pytest.CaptureFixture[str]
) -> None:
    document = pod.document(pod.data("a.jsonl", [chat("q", "a"), *[chat("q")] * 12, {**chat("q", "b"), "mood": 1}]))
    prepare(document, tokenizer)
    first = capsys.readouterr().out
    for line in (
        "a.jsonl:2: dropped (no_assistant_turn): no turn of the assistant to learn from",
        "a.jsonl: and 2 more rows dropped (no_assistant_turn)",
        "a.jsonl:14: key 'mood' is not read (1 times)",
    ):
        assert line in first
    prepare(document, tokenizer)
    assert "a.jsonl:2: dropped" in capsys.readouterr().out, "what was prepared before says it again"


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "A smile \ud83d"}]},
        {"text": "\ud83d"},
        {"text": "a", "\ud83d": 1, "tools": "\ud83d"},
        {"messages": [[[[[]]]]]},
    ],
)
def test_foreign_rows_are_told_by_line(pod: Any, tokenizer: Any, row: dict[str, Any]) -> None:
    (problem,) = refused(pod, tokenizer, pod.data("a.jsonl", [row])).problems
    assert problem.startswith("a.jsonl:1: ") and problem.encode()


def test_half_a_call_is_never_learnt(pod: Any, tokenizer: Any) -> None:
    called = {"name": "note", "arguments": {"text": "word " * 40}}
    turns = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "", "tool_calls": [{"function": called}]},
    ]
    small = {**called, "arguments": {"text": "word"}}
    kept = [turns[0], {**turns[1], "tool_calls": [{"function": small}]}]
    writes = copy.copy(tokenizer)
    writes.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}"
        "{{ c.function | tojson }}{% endfor %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    data = pod.data("a.jsonl", [{"messages": turns}, {"messages": kept}])
    document = pod.document(data, template={"maxLength": 40, "truncation": "truncate"})
    prepared = prepare(document, writes)
    assert prepared.counts.dropped == {"cut_call": 1} and len(prepared.train) == 1
    assert "a.jsonl:1: dropped (cut_call)" in prepared.notes[0] and "half a call of a tool is none" in prepared.notes[0]
