"""What of AWS Budgets moto lacks: changes of a budget, its tags, and who is told."""

import json

from moto.budgets.exceptions import NotFoundException
from moto.budgets.models import Budget
from moto.budgets.responses import BudgetsResponse


def budget_of(self, name):
    budgets = self.backend.budgets[self._get_param("AccountId") or self.current_account]
    if name not in budgets:
        raise NotFoundException(f"Unable to get budget: {name} - the budget doesn't exist.")
    return budgets[name]


def by_arn(self):
    return budget_of(self, self._get_param("ResourceARN").split(":budget/", 1)[1])


def notification_of(self):
    wanted = same(self._get_param("Notification"))
    for one in budget_of(self, self._get_param("BudgetName")).notifications:
        if same(one.details) == wanted:
            return one
    raise NotFoundException("Unable to get notification - it doesn't exist.")


def same(details):
    kept = ("NotificationType", "ComparisonOperator", "ThresholdType")
    return {name: details.get(name) for name in kept} | {"Threshold": float(details["Threshold"])}


def create_budget(original):
    def create(self):
        said = original(self)
        name = self._get_param("Budget")["BudgetName"]
        budget_of(self, name).tags = {tag["Key"]: tag["Value"] for tag in self._get_param("ResourceTags") or []}
        return said

    return create


def update_budget(self):
    wanted = self._get_param("NewBudget")
    budget = budget_of(self, wanted["BudgetName"])
    period = budget.budget["TimePeriod"]
    budget.budget = Budget({"TimePeriod": period, **wanted}, []).budget
    return json.dumps({})


def describe_subscribers_for_notification(self):
    return json.dumps({"Subscribers": notification_of(self).subscribers})


def delete_notification(self):
    gone = notification_of(self)
    budget_of(self, self._get_param("BudgetName")).notifications.remove(gone)
    return json.dumps({})


def list_tags_for_resource(self):
    tags = by_arn(self).tags
    return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def tag_resource(self):
    by_arn(self).tags.update({tag["Key"]: tag["Value"] for tag in self._get_param("ResourceTags")})
    return json.dumps({})


def untag_resource(self):
    for key in self._get_param("ResourceTagKeys"):
        by_arn(self).tags.pop(key, None)
    return json.dumps({})


def install():
    BudgetsResponse.create_budget = create_budget(BudgetsResponse.create_budget)
    for method in (
        update_budget,
        describe_subscribers_for_notification,
        delete_notification,
        list_tags_for_resource,
        tag_resource,
        untag_resource,
    ):
        setattr(BudgetsResponse, method.__name__, method)
