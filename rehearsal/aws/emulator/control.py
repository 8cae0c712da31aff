"""What the relay reads and steers by JSON below /homeport/: the instances as they should be, and what else no API says."""

import json
import traceback
from urllib.parse import parse_qs

from moto.sts.models import sts_backends

import backends
import images


def roles_of(instance):
    associations = backends.ec2(instance.region_name).iam_instance_profile_associations
    association = associations.get(instance.id)
    if association is None:
        return None
    profile = association.iam_instance_profile
    return {"arn": profile.arn, "id": profile.id, "roles": [{"name": one.name, "arn": one.arn} for one in profile.roles]}


def key_of(instance):
    if not instance.key_name:
        return None
    # An instance goes on with a key pair that was deleted: its key was put there at the first boot.
    pair = backends.ec2(instance.region_name).key_pairs.get(instance.key_name)
    if pair is None:
        return None
    public = pair.material_public
    return public.decode().strip() if isinstance(public, bytes) else public.strip()


def groups_of(instance):
    return {group.id: group for nic in instance.nics.values() for group in nic.group_set}


def ingress_of(instance, everyone):
    members = {}
    for one in everyone:
        if one.state != "terminated":
            for group in groups_of(one):
                members.setdefault(group, []).append(one.private_ip)
    for group in groups_of(instance).values():
        for rule in group.ingress_rules:
            source = (rule.source_group or {}).get("GroupId")
            yield {
                "protocol": rule.ip_protocol,
                "from": rule.from_port,
                "to": rule.to_port,
                "sources": members.get(source, []) if source else [rule.cidr_ipv4] if rule.cidr_ipv4 else [],
            }


def user_data_of(instance):
    return instance.user_data.decode() if instance.user_data else None


def instance_facts(instance, everyone):
    store = backends.ec2(instance.region_name)
    image = store.amis.get(instance.image_id)
    return {
        "id": instance.id,
        "region": instance.region_name,
        "zone": instance.placement.zone,
        "type": instance.instance_type,
        "state": instance.state,
        "address": instance.private_ip,
        "elastic": [
            address.public_ip
            for address in store.addresses
            if address.instance is instance or (address.eni is not None and address.eni in instance.nics.values())
        ],
        "image": instance.image_id,
        "user": images.login_of(image.name if image else ""),
        "key": key_of(instance),
        "userData": user_data_of(instance),
        "profile": roles_of(instance),
        "metadata": instance.metadata_options.http_endpoint == "enabled",
        "hopLimit": instance.metadata_options.http_put_response_hop_limit,
        "volumes": [
            {"id": block.volume_id, "device": device}
            for device, block in instance.block_device_mapping.items()
            if device not in (instance.root_device_name, "/dev/sda1", "/dev/xvda")
        ],
        "ingress": list(ingress_of(instance, everyone)),
    }


def facts(_query, _body):
    everyone = [one for region in backends.used_regions() for one in backends.ec2(region).all_instances()]
    volumes = {
        volume.id: {"size": int(volume.size), "snapshot": volume.snapshot_id}
        for region in backends.used_regions()
        for volume in backends.ec2(region).volumes.values()
    }
    snapshots = {
        snapshot.id: snapshot.volume.id
        for region in backends.used_regions()
        for snapshot in backends.ec2(region).snapshots.values()
        if snapshot.from_ami is None
    }
    return {
        "instances": [instance_facts(one, everyone) for one in everyone],
        "volumes": volumes,
        "snapshots": snapshots,
    }


def credentials(query, _body):
    """Temporary credentials of a role, as an instance's metadata service hands them out."""
    region, arn, session = query["region"][0], query["role"][0], query["session"][0]
    store = sts_backends[backends.account]["aws"]
    role = store.assume_role(region, session, arn, None, 3600, None)
    return {
        "accessKeyId": role.access_key_id,
        "secretAccessKey": role.secret_access_key,
        "token": role.session_token,
        "expiration": role.expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def move(_query, body):
    return {"image": images.move(body["region"], body["parameter"])}


ROUTES = {"facts": facts, "credentials": credentials, "move": move}


def in_front_of(application):
    """The application, with the control routes answered before it."""

    def answer(environ, start_response):
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/homeport/"):
            return application(environ, start_response)
        handler = ROUTES.get(path.removeprefix("/homeport/"))
        status = "200 OK"
        try:
            if handler is None:
                raise KeyError(f"there is no {path}")
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = json.loads(environ["wsgi.input"].read(length) or b"{}")
            said = handler(parse_qs(environ.get("QUERY_STRING", "")), body)
        except Exception as error:
            traceback.print_exc()
            status, said = "500 Internal Server Error", {"error": str(error)}
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(said).encode()]

    return answer
