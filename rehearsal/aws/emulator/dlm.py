"""Data Lifecycle Manager, which moto lacks: docs.aws.amazon.com/dlm/latest/APIReference. Policies are kept, no snapshot is made."""

import json
import re
from secrets import token_hex
from urllib.parse import parse_qs, unquote

from botocore.session import get_session
from botocore.validate import ParamValidator
from moto.core.utils import iso_8601_datetime_without_milliseconds, utcnow
from moto.iam.models import iam_backends

import backends

model = get_session().get_service_model("dlm")
policies = {}


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def checked(operation, given):
    """The request's values, refused where the service's published model doesn't allow them."""
    report = ParamValidator().validate(given, model.operation_model(operation).input_shape)
    if report.has_errors():
        raise Refused(400, "InvalidRequestException", report.generate_report())
    role = given.get("ExecutionRoleArn")
    known = {one.arn for one in iam_backends[backends.account]["aws"].roles.values()}
    if role is not None and role not in known:
        raise Refused(400, "InvalidRequestException", f"The role {role} can't be assumed by dlm.amazonaws.com.")
    return given


def now():
    return iso_8601_datetime_without_milliseconds(utcnow())


def find(region, policy_id):
    policy = policies.get((region, policy_id))
    if policy is None:
        raise Refused(404, "ResourceNotFoundException", f"There is no policy {policy_id}.")
    return policy


def create(region, body, _query, *_):
    given = checked("CreateLifecyclePolicy", body)
    policy_id = f"policy-0{token_hex(8)}"
    policies[region, policy_id] = {
        "PolicyId": policy_id,
        "PolicyArn": f"arn:aws:dlm:{region}:{backends.account}:policy/{policy_id}",
        "StatusMessage": given["State"],
        "DateCreated": now(),
        "DateModified": now(),
        "DefaultPolicy": False,
        "Tags": {},
        **given,
    }
    return {"PolicyId": policy_id}


def every(region, _body, _query, *_):
    names = ("PolicyId", "Description", "State", "Tags", "DefaultPolicy")
    own = [policy for (place, _), policy in policies.items() if place == region]
    return {"Policies": [{name: policy[name] for name in names} for policy in own]}


def get(region, _body, _query, policy_id):
    return {"Policy": find(region, policy_id)}


def update(region, body, _query, policy_id):
    given = checked("UpdateLifecyclePolicy", {"PolicyId": policy_id, **body})
    find(region, policy_id).update(given, DateModified=now())
    return {}


def delete(region, _body, _query, policy_id):
    find(region, policy_id)
    del policies[region, policy_id]
    return {}


def tagged(region, arn):
    return find(region, unquote(arn).rsplit("/", 1)[1])["Tags"]


def tag(region, body, _query, arn):
    tagged(region, arn).update(body["Tags"])
    return {}


def untag(region, _body, query, arn):
    for key in query["tagKeys"]:
        tagged(region, arn).pop(key, None)
    return {}


def tags(region, _body, _query, arn):
    return {"Tags": tagged(region, arn)}


ROUTES = (
    ("POST", r"/policies/?", create),
    ("GET", r"/policies/?", every),
    ("GET", r"/policies/([^/]+)/?", get),
    ("PATCH", r"/policies/([^/]+)/?", update),
    ("DELETE", r"/policies/([^/]+)/?", delete),
    ("POST", r"/tags/(.+)", tag),
    ("DELETE", r"/tags/(.+)", untag),
    ("GET", r"/tags/(.+)", tags),
)


def respond(region, environ):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = json.loads(environ["wsgi.input"].read(length) or b"{}")
    query = parse_qs(environ.get("QUERY_STRING", ""))
    for method, pattern, handler in ROUTES:
        match = re.fullmatch(pattern, environ["PATH_INFO"])
        if match and method == environ["REQUEST_METHOD"]:
            return handler(region, body, query, *match.groups())
    raise Refused(404, "UnknownOperationException", f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")


def beside(application):
    """The application, with requests signed for DLM answered here."""

    def answer(environ, start_response):
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/dlm/", environ.get("HTTP_AUTHORIZATION", ""))
        if scope is None:
            return application(environ, start_response)
        status, headers = "200 OK", [("Content-Type", "application/json")]
        try:
            said = respond(scope[1], environ)
        except Refused as refused:
            status = f"{refused.status} {refused.code}"
            headers.append(("x-amzn-ErrorType", refused.code))
            said = {"Code": refused.code, "Message": str(refused)}
        start_response(status, headers)
        return [json.dumps(said).encode()]

    return answer
