"""The picture of where a step's time goes, in TRL and in ours."""

from pathlib import Path

from training_profile import GROUPS, REST


def draw(profiles: dict[str, dict[str, float]], file: Path) -> None:
    """One bar per trainer, seconds for the same useful tokens by group, as SVG.

    profiles: title to milliseconds per useful token by group.
    """
    import matplotlib as mpl

    mpl.use("svg")
    # Text stays text, and the same figures give the same file.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "swiftlet", "font.size": 9})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9.2, 1.0 + 0.5 * len(profiles)), layout="constrained")
    left = [0.0] * len(profiles)
    for group in (*GROUPS, REST):
        spent = [profile[group] for profile in profiles.values()]
        axes.barh(list(profiles), spent, left=left, label=group, height=0.6)
        left = [before + more for before, more in zip(left, spent, strict=True)]
    axes.invert_yaxis()
    axes.set(xlabel="milliseconds per useful token", xlim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def text(profiles: dict[str, dict[str, float]]) -> str:
    """The same as a table."""
    lines = [f"{'ms per useful token':32}" + "".join(f"{title:>32}" for title in profiles)]
    lines += [
        f"{group:32}" + "".join(f"{profile[group]:32.2f}" for profile in profiles.values()) for group in (*GROUPS, REST)
    ]
    return "\n".join(lines)
