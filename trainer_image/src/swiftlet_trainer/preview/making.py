"""A preview of a run: the first rows of its data sets, prepared as for training and looked at instead of kept."""

from typing import Any

from swiftlet.wire.documents import ResolvedDataset, TrainDocument
from swiftlet.wire.preview import Preview, PreviewCheck, PreviewDataset, PreviewRow

from swiftlet_trainer.data.channels import Channels, dataset_channels
from swiftlet_trainer.data.encode import Traced
from swiftlet_trainer.data.scan import encoder_of
from swiftlet_trainer.data.tally import Tally
from swiftlet_trainer.models.loading import model_folder
from swiftlet_trainer.models.vocabulary import embedding_rows, id_problem
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.preview.checks import Found, TokenChecks, row_checks, stop_names
from swiftlet_trainer.preview.pieces import Pieces
from swiftlet_trainer.preview.prompts import Prompts
from swiftlet_trainer.preview.rows import is_split, label_of, learnt_of, shown_sequences
from swiftlet_trainer.templates.end_token import configured_end, end_warning, stopping_tokens
from swiftlet_trainer.templates.segments import Segments


class Previewing:
    """Reads a document's data sets one after the other."""

    def __init__(self, document: TrainDocument, tokenizer: Any) -> None:
        self._document, self._tokenizer = document, tokenizer
        segments, self._channels = Segments(tokenizer), Channels()
        self._encoder = encoder_of(document, tokenizer, segments, self._channels)
        self._folder, self._pieces = model_folder(document.model), Pieces(tokenizer)
        self._stops = stopping_tokens(configured_end(self._folder), tokenizer)
        prompts = Prompts(tokenizer, segments) if tokenizer.chat_template else None
        self._checks = TokenChecks(self._stops, prompts) if document.task.learns_tokens else None
        self._cut, self._largest = Found(), 0
        self._rows = list[PreviewRow]()

    def preview(self, shown: int, most: int | None) -> Preview:
        """Of the first `most` rows of each data set (all if None), with the first `shown` usable ones of each."""
        document, tallies, datasets = self._document, list[Tally](), list[PreviewDataset]()
        channels = dataset_channels([one.uri for one in document.datasets])
        for index, dataset in enumerate(document.datasets):
            tallies.append(Tally(dataset.uri))
            datasets.append(self._read(index, dataset, tallies[-1], channels[index], shown, most))
        problems = [problem for tally in tallies for problem in tally.all_problems()]
        if problem := id_problem(self._largest, embedding_rows(self._folder), self._tokenizer):
            problems.append(f"model {document.model.uri}: {problem}")
        return Preview(
            name=document.name,
            model=document.model.uri,
            task=document.task.block,
            learns_tokens=document.task.learns_tokens,
            datasets=datasets,
            rows=self._rows,
            checks=self._answers(tallies),
            problems=problems,
        )

    def _read(
        self, index: int, dataset: ResolvedDataset, tally: Tally, channel: str, shown: int, most: int | None
    ) -> PreviewDataset:
        tokens = learnt = 0
        until = len(self._rows) + shown
        for batch in self._encoder.traced(dataset, in_pod(dataset.path), tally, channel, most):
            for one in batch:
                rows = self._look(index, one, tally.at(one.number), until)
                tokens, learnt = tokens + rows[0], learnt + rows[1]
        return PreviewDataset(
            uri=dataset.uri,
            split=dataset.split,
            whole=most is None or tally.read < most,
            read=tally.read,
            usable=tally.kept,
            tokens=tokens,
            learnt=learnt,
            dropped=dict(tally.dropped),
            notes=tally.notes(),
        )

    def _look(self, index: int, traced: Traced, place: str, until: int) -> tuple[int, int]:
        """Check a row of the data set `index`, and show it while there are fewer than `until`; its tokens, and those
        that are learnt."""
        made = learnt_of(traced, self._encoder.limit)
        if any(sum(map(len, parts)) > self._encoder.limit for parts in traced.parts):
            self._cut.add("split" if is_split(traced) else "cut", place)
        for row, encoded in zip(made, traced.rows, strict=True):
            self._largest = max(self._largest, *encoded.input_ids)
            if self._checks:
                self._checks.look(row, place)
            if len(self._rows) < until:
                label = label_of(self._document, encoded.targets, self._channels.names)
                shown = shown_sequences(row, self._document.task.name, self._pieces)
                self._rows.append(PreviewRow(dataset=index, place=place, label=label, sequences=shown))
        sequences = [one for row in made for one in row]
        return sum(len(one.ids) for one in sequences), sum(one.learnt for one in sequences)

    def _answers(self, tallies: list[Tally]) -> list[PreviewCheck]:
        warnings = self._encoder.warnings
        if not self._checks:
            return [*row_checks(tallies, self._cut, self._encoder.limit, warnings)]
        if warning := end_warning(self._folder, self._tokenizer):
            warnings.append(warning)
        of_tokens = self._checks.answers(stop_names(self._stops, self._tokenizer), tallies)
        return [*of_tokens, *row_checks(tallies, self._cut, self._encoder.limit, warnings)]
