"""What `get` prints."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from swiftlet.api import KINDS
from swiftlet.cli.errors import CommandError
from swiftlet.cli.printing.output import print_objects
from swiftlet.cli.printing.table import render
from swiftlet.cli.reading.columns import NAMESPACE, place_cells, rows_of
from swiftlet.cli.reading.finding import existing
from swiftlet.cli.reading.resourcekinds import ResourceKind, kind_of, parse_kinds
from swiftlet.cli.reading.selectors import Selector, matches
from swiftlet.cli.reading.world import World
from swiftlet.cluster.errors import RefusedError
from swiftlet.kinds.conditions.condition import find_condition

Object = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """One kind, and the names that were asked for (none: all)."""

    kind: ResourceKind
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """One question. `namespace` None means every namespace."""

    world: World
    wanted: tuple[Wanted, ...]
    namespace: str | None
    output: str | None
    selector: Selector = ()
    is_named: bool = True
    """Whether the kinds were named one by one."""

    @property
    def is_single(self) -> bool:
        return len(self.wanted) == 1 and len(self.wanted[0].names) == 1

    def objects(self) -> "Found":
        """What is there, by kind. Raises CommandError for a name that is not."""
        found, place = [], self.namespace or self.world.namespace
        for wanted in self.wanted:
            namespace = self.namespace if wanted.kind.namespaced else None
            if wanted.names:
                items = [existing(self.world, wanted.kind, place, name) for name in wanted.names]
            elif wanted.kind.name == "Event":
                items = self.world.events(namespace=namespace)
            else:
                items = self._listed(wanted.kind, namespace)
            found.append((wanted.kind, [item for item in items if matches(self.selector, item)]))
        return found

    def _listed(self, kind: ResourceKind, namespace: str | None) -> list[Object]:
        """Of what was not named, what may not be read is left out and told: a namespace's users see no profiles."""
        try:
            return self.world.list(kind.name, namespace)
        except RefusedError as error:
            if self.is_named or error.code != HTTPStatus.FORBIDDEN:
                raise
            print(f"WARNING {kind.plural} are not shown: {error}", file=sys.stderr)
            return []

    def table(self, kind: ResourceKind, items: Sequence[Object]) -> str:
        """The answer about one kind."""
        wide = self.output == "wide"
        first = [NAMESPACE] if self.namespace is None and kind.namespaced else []
        last = place_cells(kind, self.world.folder) if wide else []
        return render(*rows_of(kind, items, wide, prefixed=len(self.wanted) > 1, first=first, last=last))


def selection(kinds: str | None, names: Sequence[str]) -> tuple[Wanted, ...]:
    """What `KIND NAME...`, `KIND/NAME...` or `KIND,KIND` ask for. Raises CommandError."""
    if kinds and "/" in kinds:
        pairs = [text.partition("/") for text in (kinds, *names)]
        if not all(name for _, _, name in pairs):
            raise CommandError("write KIND/NAME, such as finetunejob/bird")
        return tuple(Wanted(kind_of(kind), (name,)) for kind, _, name in pairs)
    found = parse_kinds(kinds)
    if names and len(found) > 1:
        raise CommandError("names need one kind; write KIND NAME, or KIND/NAME for each")
    return tuple(Wanted(kind, tuple(names)) for kind in found)


Found = list[tuple[ResourceKind, list[Object]]]


def print_listing(listing: Listing) -> Found:
    """Print the answer once; returns what was printed."""
    found = listing.objects()
    flat = [item for _, items in found for item in items]
    if listing.output not in (None, "wide"):
        print_objects(flat, listing.output, single=listing.is_single)
        return found
    if not flat:
        if listing.namespace:
            listing.world.check_namespace(listing.namespace)
        where = f"in {listing.namespace} namespace" if listing.namespace else "in any namespace"
        print(f"No resources found {where}.", file=sys.stderr)
    tables = [listing.table(kind, items) for kind, items in found if items]
    if tables:
        print("\n\n".join(tables), flush=True)
    return found


def watch(listing: Listing, printed: Found) -> None:
    """Print a row whenever an object differs from what was printed last, until interrupted.

    printed: what `print_listing` returned. Reading anew would lose the changes since then.
    """
    seen = {key for _, items in printed for key in map(_version, items)}
    while True:
        time.sleep(listing.world.pause)
        for kind, items in listing.objects():
            changed = {index for index, item in enumerate(items) if _version(item) not in seen}
            if changed:
                _print_changes(listing, kind, items, changed)
            seen |= set(map(_version, items))


def _version(item: Object) -> tuple[str, str, str | None]:
    """What changes with every write, and when the engine that wrote is gone."""
    status = item.get("status") or {}
    model = KINDS.get(item["kind"])
    said = (find_condition(item, model.summary_condition) or {}) if model else status
    return item["metadata"]["uid"], item["metadata"]["resourceVersion"], said.get("reason")


def _print_changes(listing: Listing, kind: ResourceKind, items: list[Object], changed: set[int]) -> None:
    chosen = [items[index] for index in sorted(changed)]
    if listing.output not in (None, "wide"):
        for item in chosen:
            if listing.output == "yaml":
                print("---")
            print_objects([item], listing.output, single=True)
    else:
        # All rows are laid out, so that what is printed stays below the first table's columns.
        table = listing.table(kind, items)
        print("\n".join(line for index, line in enumerate(table.splitlines()[1:]) if index in changed))
    sys.stdout.flush()
