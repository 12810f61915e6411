"""The page of the reference that explains conditions and reasons, from the table the reconcilers are held to."""

import sys
from pathlib import Path

from swiftlet.kinds.conditions.table import CONDITIONS

HEAD = """# Conditions

Generated from the planners by `make generate`. Each condition has a status, a reason and a message with particulars;
`swiftlet describe` and `kubectl describe` show them. `Succeeded` (FineTuneJob, EvalRun) and `Ready` (ModelDeployment)
sum a resource up; `kubectl wait --for=condition=Succeeded` waits for the end.
"""


def render_conditions() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for kind, docs in CONDITIONS.items():
        parts.append(f"## {kind}\n")
        for doc in docs:
            rows = "\n".join(f"| {reason} | {meaning} |" for reason, meaning in doc.reasons.items())
            parts.append(f"### {doc.type}\n\n{doc.meaning}\n\n| reason | meaning |\n| --- | --- |\n{rows}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference") / "conditions.md").write_text(
        render_conditions(), encoding="utf-8"
    )
