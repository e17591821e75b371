"""The cohorts a new sandbox starts with."""

from app.sandbox.population.conditions import Condition

CohortSpec = tuple[str, str, tuple[Condition, ...]]

DEMO: tuple[CohortSpec, ...] = (
    ("Power users", "20 sessions or more in 30 days", (Condition("sessions_30d", "at_least", 20),)),
    (
        "Trial ending",
        "On trial, three days left or fewer",
        (Condition("trial_days_left", "at_most", 3), Condition("plan", "equals", "trial")),
    ),
    ("Newsletter readers", "Subscribed to the newsletter", (Condition("newsletter", "equals", True),)),
    ("Big spenders", "Spent 300 or more", (Condition("lifetime_value", "at_least", 300),)),
    ("Slipping away", "Not seen for 30 days", (Condition("days_since_seen", "at_least", 30),)),
)


def demo_cohorts(count: int) -> list[CohortSpec]:
    """Return `count` cohorts: the named ones, then numbered segments, empty until churn fills them."""
    further = [
        (
            f"Segment {number}",
            f"Tagged as segment {number}",
            (Condition(f"segment_{number}", "equals", True),),
        )
        for number in range(len(DEMO) + 1, count + 1)
    ]
    return [*DEMO[:count], *further]
