"""Every task that models are trained for, in the order in which a score is explained."""

from collections.abc import Mapping

from ml.category import CATEGORY
from ml.churn import CHURN
from ml.event_task import EventTask
from ml.inactivity import INACTIVITY
from ml.intent import INTENT
from ml.propensity import PURCHASE, PURCHASE_7D, PURCHASE_30D
from ml.response import RESPONSE
from ml.task import Question, Task
from ml.value import VALUE

TASKS: Mapping[str, Task] = {
    task.name: task for task in (CHURN, PURCHASE, VALUE, PURCHASE_7D, PURCHASE_30D, INACTIVITY)
}
"""Asked of every customer at once."""

EVENT_TASKS: Mapping[str, EventTask] = {task.name: task for task in (RESPONSE, INTENT, CATEGORY)}
"""Asked of each message or session, at its own instant, or of each customer and category."""

QUESTIONS: Mapping[str, Question] = {**TASKS, **EVENT_TASKS}
"""All that models are trained for."""
