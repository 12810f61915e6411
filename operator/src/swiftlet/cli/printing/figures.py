"""Numbers as people read them."""


def figure(number: float | str) -> str:
    """Four significant digits."""
    return f"{float(number):.4g}"


def signed(number: float | str) -> str:
    """Four significant digits with a sign."""
    return f"{float(number):+.4g}"


def bracketed(interval: tuple[float, float] | None) -> str:
    """Both ends with their signs; a dash where there is none."""
    return f"[{signed(interval[0])}, {signed(interval[1])}]" if interval else "-"


def size(count: float) -> str:
    """Bytes in binary units: 512 B, 1.5 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def seconds(duration: float) -> str:
    """0.4s, 12s, 2m05s, 1h02m."""
    if duration < 10:
        return f"{duration:.1f}s"
    whole = round(duration)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def one_line(text: str) -> str:
    """The first line of a text, marked when there are more: the whole is told once, where the cause is explained."""
    first, _, rest = text.strip().partition("\n")
    return f"{first.rstrip()} …" if rest else first
