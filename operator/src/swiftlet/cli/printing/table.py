"""Tables as kubectl prints them: upper-case heads, three spaces between columns, no lines."""

from collections.abc import Sequence

GAP = "   "


def render(heads: Sequence[str], rows: Sequence[Sequence[str]], header: bool = True, indent: str = "") -> str:
    """Left-aligned columns, as wide as their longest cell; newlines in cells become spaces. No newline at the end."""
    lines = [[head.upper() for head in heads]] if header else []
    lines += [[" ".join(cell.split()) or "" for cell in row] for row in rows]
    widths = [max((len(line[column]) for line in lines), default=0) for column in range(len(heads))]
    return "\n".join(
        (indent + GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))).rstrip()
        for line in lines
    )
