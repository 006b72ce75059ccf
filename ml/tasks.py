"""Every task that models are trained for, in the order in which a score is explained."""

from collections.abc import Mapping

from ml.churn import CHURN
from ml.propensity import PURCHASE
from ml.task import Task
from ml.value import VALUE

TASKS: Mapping[str, Task] = {task.name: task for task in (CHURN, PURCHASE, VALUE)}
