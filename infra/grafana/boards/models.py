"""Models: what they answer, how sure they are, and whether they are asked what they were trained on."""

from boards.board import Board, Content
from boards.panels import bad_from, bars, figure, good_from, heat, lines
from boards.queries import choice, now, over_time

CHOSEN = 'model=~"$model",version=~"$version"'
DRIFT = 0.2


def board() -> Board:
    """Describe it."""
    return Board(
        uid="models",
        title="Models",
        description="What do models answer, how sure are they, are they asked what they were trained on?",
        since="now-6h",
        choices=[
            choice("model", "Model", "label_values(inference_model_accuracy_ratio, model)"),
            choice(
                "version", "Version", 'label_values(inference_model_accuracy_ratio{model=~"$model"}, version)'
            ),
            choice(
                "feature",
                "Feature",
                'label_values(inference_model_training_ratio{model=~"$model",version=~"$version"}, feature)',
            ),
        ],
        content=[
            "Now",
            *_figures(),
            "Answers",
            *_answers(),
            "Inputs, compared with training",
            *_inputs(),
        ],
    )


def _figures() -> list[Content]:
    confidence = "inference_worker_confidence_ratio"
    return [
        figure(
            "Accuracy",
            "On rows held out of training; the worst of the chosen.",
            "percentunit",
            now(f"min(inference_model_accuracy_ratio{{{CHOSEN}}})"),
            steps=good_from(0.9),
        ),
        figure(
            "Predictions",
            "Rows answered in the time shown.",
            "short",
            now(f"sum(increase(inference_worker_predictions_total{{{CHOSEN}}}[$__range]))"),
        ),
        figure(
            "Mean confidence",
            "Probability of the label given, over the time shown.",
            "percentunit",
            now(
                f"sum(increase({confidence}_sum{{{CHOSEN}}}[$__range]))"
                f" / (sum(increase({confidence}_count{{{CHOSEN}}}[$__range])) > 0)"
            ),
        ),
        figure(
            "Rows in the last hour",
            "What the indices below stand on. Below 100 there are none: they would show chance.",
            "short",
            now(f"max(inference:feature_rows:1h{{{CHOSEN}}})"),
        ),
        figure(
            "Largest drift",
            "Population stability index of the feature that has moved most. 0.1 is little, 0.2 an alert.",
            "none",
            now(f"max(inference:feature_psi:1h{{{CHOSEN}}})"),
            steps=bad_from(0.1, DRIFT),
        ),
        figure(
            "Change of classes",
            "Share of the last hour's answers that the day before it would not have given.",
            "percentunit",
            now(f"max(inference:class_mix_change:1h{{{CHOSEN}}})"),
            steps=bad_from(0.3),
        ),
    ]


def _answers() -> list[Content]:
    answered = f"inference_worker_predictions_total{{{CHOSEN}}}"
    return [
        lines(
            "Answers by class",
            "Rows answered.",
            "ops",
            over_time(f"sum by (model, label) (rate({answered}[$__rate_interval]))", "{{model}} {{label}}"),
            stacked=True,
        ),
        lines(
            "Answers by version",
            "Rows answered: which version of a model does the work.",
            "ops",
            over_time(
                f"sum by (model, version) (rate({answered}[$__rate_interval]))", "{{model}} {{version}}"
            ),
            stacked=True,
        ),
        heat(
            "Answers by confidence",
            "How many rows were answered how surely. Asked strange things, a model is often less sure.",
            "percentunit",
            over_time(
                "sum by (le)"
                f" (increase(inference_worker_confidence_ratio_bucket{{{CHOSEN}}}[$__rate_interval]))"
            ),
        ),
        lines(
            "Share of classes in the hour before",
            "Beside the share in a day: apart means that answers have changed.",
            "percentunit",
            over_time(f"inference:class_share:1h{{{CHOSEN}}}", "{{model}} {{label}}, hour"),
            over_time(f"inference:class_share:1d{{{CHOSEN}}}", "{{model}} {{label}}, day"),
        ),
    ]


def _inputs() -> list[Content]:
    feature = f'{CHOSEN},feature=~"$feature"'
    return [
        lines(
            "Drift of each feature",
            "Population stability index of the last hour, from 100 rows on. Alert at the line.",
            "none",
            over_time(f"inference:feature_psi:1h{{{feature}}}", "{{model}} {{version}} {{feature}}"),
            limit=DRIFT,
            span=24,
        ),
        bars(
            "Where rows of the last hour fell",
            "Share of rows by the tenths of training; bin 0 holds the smallest values. Choose one feature.",
            "percentunit",
            now(f"inference:feature_share:1h{{{feature}}}", "{{feature}} {{bin}}"),
        ),
        bars(
            "Where rows of training fell",
            "The same bins in training: about a tenth each, but for values that many rows share.",
            "percentunit",
            now(
                f"max by (model, version, feature, bin) (inference_model_training_ratio{{{feature}}})",
                "{{feature}} {{bin}}",
            ),
        ),
    ]
