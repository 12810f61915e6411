"""Kahneman-Tversky optimization: single answers that are good or bad, beside a reference."""
