"""Results as one Markdown table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Bound:
    """Limit that a goal sets for a figure."""

    sense: Literal["≥", "≤"]
    value: float
    #: Unit of the number: `%`, ` ms`, ` MB`, or empty for a ratio.
    unit: str = ""

    def holds(self, figure: float) -> bool:
        return figure >= self.value if self.sense == "≥" else figure <= self.value

    def __str__(self) -> str:
        return f"{self.sense} {short(self.value)}{self.unit}"


@dataclass(frozen=True)
class Row:
    #: Its number in the list of goals.
    goal: int
    what: str
    store: str
    ours: str
    #: The measurement that ours is compared with: the plain app, the unfiltered list or the small database.
    other: str
    figure: float
    #: None for a figure without a goal.
    bound: Bound | None

    def __str__(self) -> str:
        unit = self.bound.unit if self.bound else ""
        verdict = ("yes" if self.bound.holds(self.figure) else "**no**") if self.bound else ""
        cells = (
            str(self.goal),
            self.what,
            self.store,
            self.ours,
            self.other,
            f"{short(self.figure)}{unit}",
            str(self.bound or ""),
            verdict,
        )
        return f"| {' | '.join(cells)} |"


def table(rows: Sequence[Row]) -> str:
    head = ("goal", "what", "store", "ours", "against", "ratio", "goal is", "met")
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    return "\n".join([*lines, *(str(row) for row in sorted(rows, key=lambda row: (row.goal, row.store != "sqlite")))])


def short(figure: float) -> str:
    """Format three significant digits: 1,234 · 12.3 · 1.23 · 0.123."""
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    text = f"{figure:.3g}"
    return text if "e" not in text else f"{figure:.4f}"
