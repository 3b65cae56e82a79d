"""What a round of the tuner and an undo report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TemplateOutcome:
    """What a round did for one template.

    Attributes:
        plain_seconds, tuned_seconds: median of the trial's runs, or of the log where there was no trial.
        decision: "kept", "plain" or "untouched".
    """

    digest: str
    template: str
    count: int
    plain_seconds: float
    tuned_seconds: float
    decision: str

    @property
    def ratio(self) -> float:
        return self.plain_seconds / self.tuned_seconds if self.tuned_seconds else 1.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was thought of and not done, with the reason."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class TuneReport:
    """One round of the tuner.

    Attributes:
        mode: "apply", or "report" where nothing was built.
        seconds: what the round took, building and proving included.
        build_seconds: of these, building.
        bytes_added: what was built and kept takes in the file.
        built: one line for each derived object that was built and kept, or would be in report mode.
        refused: what was thought of and not done.
        failed: those of the refused whose building raised: no space, most likely.
        templates: those that took most seconds first.
        interrupted: the round was stopped before its end; what it had finished stays.
        note: one line that says why nothing could be done, or empty.
    """

    mode: str
    seconds: float
    build_seconds: float
    bytes_added: int
    built: tuple[str, ...]
    refused: tuple[Refusal, ...]
    templates: tuple[TemplateOutcome, ...]
    failed: tuple[Refusal, ...] = ()
    interrupted: bool = False
    note: str = ""

    @property
    def plain_seconds(self) -> float:
        """What the observed runs took, or would have taken, plain."""
        return sum(t.count * t.plain_seconds for t in self.templates)

    @property
    def tuned_seconds(self) -> float:
        """What the same runs take with the design."""
        return sum(t.count * t.tuned_seconds for t in self.templates)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        return asdict(self) | {"plain_seconds": self.plain_seconds, "tuned_seconds": self.tuned_seconds}

    def __str__(self) -> str:
        if self.note:
            return self.note
        verb = "would build" if self.mode == "report" else "built and kept"
        lines = [
            f"{verb} {len(self.built)} in {self.seconds:.1f} s ({self.build_seconds:.1f} s of it building), "
            f"{self.bytes_added / 1e6:.1f} MB",
            *(f"  {line}" for line in self.built),
            f"{'runs':>7} {'plain ms':>9} {'tuned ms':>9} {'times':>6}  template",
        ]
        for template in self.templates:
            text = template.template if len(template.template) <= 90 else template.template[:87] + "..."
            lines.append(
                f"{template.count:>7} {template.plain_seconds * 1e3:>9.2f} {template.tuned_seconds * 1e3:>9.2f} "
                f"{template.ratio:>6.1f}  {text}"
            )
        lines.append(
            f"all observed runs: {self.plain_seconds:.2f} s plain, {self.tuned_seconds:.2f} s tuned"
            + (" (interrupted)" if self.interrupted else "")
        )
        lines += [f"{refusal.what}: {refusal.reason}" for refusal in self.failed]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What an undo removed.

    Attributes:
        freed_bytes: blocks that the file may use anew; with `compacted` the file has given them back where it can.
    """

    freed_bytes: int
    objects: int
    compacted: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.objects} derived objects removed, {self.freed_bytes / 1e6:.1f} MB freed"
