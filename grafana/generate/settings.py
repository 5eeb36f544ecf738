"""What can differ between one set of rules and another: the job's name, the runbook's address, and the pace of time."""

from dataclasses import dataclass

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices that rules and dashboards are generated from."""

    job: str = "sms-credit"
    """Name of the scrape job."""
    runbook: str = "https://github.com/sms-credit/sms-credit/blob/main/grafana/runbook.md"
    pace: int = 1
    """How many times faster than life everything passes; above 1 for rehearsals only."""

    def series(self, metric: str, *matchers: str) -> str:
        """Return a selector of the job's series of a metric."""
        matched = ", ".join((f'job="{self.job}"', *matchers))
        return f"{metric}{{{matched}}}"

    def span(self, seconds: int) -> str:
        """Write a duration as Prometheus does."""
        if self.pace > 1:
            return f"{seconds * 1000 // self.pace}ms"
        count, unit = _counted(seconds)
        return f"{count}{unit[0]}"

    def seconds(self, seconds: int) -> str:
        """Write a number of seconds for arithmetic."""
        return f"{seconds / self.pace:g}"

    def as_in_life(self, duration: str) -> str:
        """Write an expression of a measured duration so that it comes to what it would be in life."""
        return duration if self.pace == 1 else f"{self.pace} * {duration}"

    @staticmethod
    def words(seconds: int) -> str:
        """Write a duration as people do."""
        count, unit = _counted(seconds)
        return f"{count} {unit}{'s' * (count > 1)}"


def _counted(seconds: int) -> tuple[int, str]:
    """Return a duration in the largest unit that it is a whole number of."""
    return next((seconds // size, unit) for size, unit in _UNITS if seconds % size == 0)
