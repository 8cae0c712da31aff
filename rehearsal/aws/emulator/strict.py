"""What AWS does and moto doesn't: refusals, calls repeated by their token, termination protection, address by instance."""

import json
from base64 import b64encode

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses import instances as instance_responses
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.instances import InstanceResponse
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket


def once_by_token(responses, method):
    """EC2 gives the first answer again to a call with the same client token: docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html."""
    original = getattr(responses, method)
    answers = {}

    def answer(self):
        token = self._get_param("ClientToken")
        if token is None:
            return original(self)
        key = (self.region, token)
        if key not in answers:
            answers[key] = original(self)
        return answers[key]

    setattr(responses, method, answer)


def run_instances(original):
    def run(self):
        if int(self._get_param("MaxCount", "1")) != 1:
            raise EC2ClientError("UnsupportedOperation", "The rehearsal starts one instance a call.")
        if self._get_param("KeyName"):
            self.ec2_backend.describe_key_pairs(key_names=[self._get_param("KeyName")])
        known = {one.id for one in self.ec2_backend.all_instances()}
        result = original(self)
        if str(self._get_param("DisableApiTermination", "false")).lower() == "true":
            for instance in self.ec2_backend.all_instances():
                if instance.id not in known:
                    instance.disable_api_termination = True
        return result

    return run


def attach_volume(original):
    def attach(self, volume_id, instance_id, device_path, delete_on_termination=False):
        volume, instance = self.get_volume(volume_id), self.get_instance(instance_id)
        if instance.state not in ("pending", "running", "stopped"):
            raise EC2ClientError("IncorrectState", f"Instance '{instance_id}' is not 'running' or 'stopped'.")
        if volume.attachment:
            raise EC2ClientError("VolumeInUse", f"{volume_id} is already attached to an instance")
        if volume.zone.name != instance.placement.zone:
            text = f"The volume '{volume_id}' is not in the same availability zone as instance '{instance_id}'"
            raise EC2ClientError("InvalidVolume.ZoneMismatch", text)
        if device_path in instance.block_device_mapping:
            text = f"Invalid value '{device_path}' for unixDevice. Attachment point {device_path} is already in use"
            raise EC2ClientError("InvalidParameterValue", text)
        return original(self, volume_id, instance_id, device_path, delete_on_termination)

    return attach


def detach_volume(original):
    def detach(self, volume_id, instance_id, device_path):
        attachment = self.get_volume(volume_id).attachment
        if attachment is None:
            raise EC2ClientError("IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
        return original(self, volume_id, instance_id or attachment.instance.id, device_path)

    return detach


def modify_volume(original):
    def modify(self, volume_id, target_size=None, *others, **more):
        if target_size is not None and int(target_size) < int(self.get_volume(volume_id).size):
            raise EC2ClientError("InvalidParameterValue", "New size cannot be smaller than existing size")
        return original(self, volume_id, target_size, *others, **more)

    return modify


def modify_instance_attribute(original):
    def modify(self, instance_id, key, value):
        instance = self.get_instance(instance_id)
        if key in ("instance_type", "user_data") and instance.state != "stopped":
            text = f"The instance '{instance_id}' is not in the 'stopped' state."
            raise EC2ClientError("IncorrectInstanceState", text)
        return original(self, instance_id, key, value)

    return modify


def parse_user_data(original):
    """What ModifyInstanceAttribute is sent is decoded already when moto takes it to be encoded."""

    def parse(value):
        return original(b64encode(value) if isinstance(value, bytes) else value)

    return parse


def modify_instance_groups(original):
    """An instance's groups are those of its first interface; moto keeps them twice."""

    def modify(self, instance_id, new_group_id_list):
        instance = original(self, instance_id, new_group_id_list)
        instance.nics[0]._group_set = list(instance.security_groups)
        return instance

    return modify


def modify_interface(original):
    def modify(self, eni_id, *more, **named):
        original(self, eni_id, *more, **named)
        interface = self.get_network_interface(eni_id)
        if interface.instance is not None and interface.device_index == 0:
            interface.instance.security_groups = list(interface._group_set)

    return modify


def start_instances(original):
    def start(self, instance_ids):
        for instance in self.get_multi_instances_by_id(instance_ids):
            if instance.state == "terminated":
                text = f"The instance '{instance.id}' is not in a state from which it can be started."
                raise EC2ClientError("IncorrectInstanceState", text)
        return original(self, instance_ids)

    return start


def terminate(original):
    def end(self):
        for address in self.ec2_backend.addresses:
            if address.instance is self or (address.eni is not None and address.eni in self.nics.values()):
                self.ec2_backend.disassociate_address(address=address.public_ip)
        return original(self)

    return end


def get_permission(original):
    """moto reads no conditions: a policy that denies what comes without TLS would deny all. The relay stands for TLS."""

    def permission(self, action, resource):
        if self.policy is None:
            return original(self, action, resource)
        document = json.loads(self.policy)
        without_tls = {"Bool": {"aws:SecureTransport": "false"}}
        left = [one for one in document["Statement"] if one.get("Condition") != without_tls]
        if not left:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps({**document, "Statement": left})).is_action_permitted(action, resource)

    return permission


def install():
    FakeBucket.get_permission = get_permission(FakeBucket.get_permission)
    InstanceResponse.run_instances = run_instances(InstanceResponse.run_instances)
    once_by_token(InstanceResponse, "run_instances")
    once_by_token(ElasticBlockStore, "create_volume")
    EBSBackend.attach_volume = attach_volume(EBSBackend.attach_volume)
    EBSBackend.detach_volume = detach_volume(EBSBackend.detach_volume)
    EBSBackend.modify_volume = modify_volume(EBSBackend.modify_volume)
    InstanceBackend.modify_instance_attribute = modify_instance_attribute(InstanceBackend.modify_instance_attribute)
    instance_responses.parse_user_data = parse_user_data(instance_responses.parse_user_data)
    InstanceBackend.modify_instance_security_groups = modify_instance_groups(
        InstanceBackend.modify_instance_security_groups
    )
    NetworkInterfaceBackend.modify_network_interface_attribute = modify_interface(
        NetworkInterfaceBackend.modify_network_interface_attribute
    )
    InstanceBackend.start_instances = start_instances(InstanceBackend.start_instances)
    Instance.terminate = terminate(Instance.terminate)
