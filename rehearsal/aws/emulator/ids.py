"""Ids that a request wishes for: an instance that is there already has the id that the stack file names."""

import json
from threading import local

from moto.ec2.models import elastic_block_store, instances, security_groups

wishes = local()

HEADER = "HTTP_X_HOMEPORT_IDS"
PLACES = {
    "instance": (instances, "random_instance_id"),
    "group": (security_groups, "random_security_group_id"),
    "volume": (elastic_block_store, "random_volume_id"),
}


def per_request(application):
    """The application, with the wishes of each request's header for as long as it is answered."""

    def answer(environ, start_response):
        wishes.ids = json.loads(environ.pop(HEADER, "{}"))
        return application(environ, start_response)

    return answer


def install():
    for kind, (module, name) in PLACES.items():
        original = getattr(module, name)

        def make(kind=kind, original=original):
            return getattr(wishes, "ids", {}).pop(kind, None) or original()

        setattr(module, name, make)
