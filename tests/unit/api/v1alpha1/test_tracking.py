"""Trackers of training.reportTo."""

from swiftlet.api.v1alpha1.tracking import SECRET_KEYS, ReportTo


def test_what_is_asked_for_is_told_without_secrets() -> None:
    asked = {
        "tensorboard": {},
        "mlflow": {"trackingUri": "https://m", "experiment": "birds", "secretRef": {"name": "hush"}},
        "wandb": {"mode": "offline", "project": "p"},
    }
    report_to = ReportTo.model_validate(asked)
    assert report_to.words() == (
        "tensorboard (files in the run's folder); mlflow (https://m, experiment birds); wandb (offline, project p)"
    )
    assert report_to.secrets == {"mlflow": "hush"}


def test_who_may_have_a_secret_has_keys() -> None:
    with_secret = {
        name
        for name, field in ReportTo.model_fields.items()
        if any("secret_ref" in getattr(part, "model_fields", {}) for part in field.annotation.__args__)  # type: ignore[union-attr]
    }
    assert with_secret == set(SECRET_KEYS)
