"""The images of the public parameters of Amazon Linux, Debian and Ubuntu, and newer ones for a parameter that moves."""

from moto.core.utils import utcnow
from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id
from moto.ssm.models import Parameter, ParameterDict

import backends

DEBIAN = "/aws/service/debian/release"  # https://wiki.debian.org/Cloud/AmazonEC2Image
UBUNTU = "/aws/service/canonical/ubuntu/server"  # https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/


def published():
    """Parameter names with their images' names (the part before the date), architectures, owners and root devices."""
    for release in ("12", "13"):
        for architecture, cpu in (("amd64", "x86_64"), ("arm64", "arm64")):
            name = f"debian-{release}-{architecture}"
            yield f"{DEBIAN}/{release}/latest/{architecture}", name, cpu, "136693071363", "/dev/xvda"
    for release, code in (("22.04", "jammy"), ("24.04", "noble")):
        for architecture, cpu in (("amd64", "x86_64"), ("arm64", "arm64")):
            for disk in ("gp2", "gp3"):
                name = f"ubuntu/images/hvm-ssd-gp3/ubuntu-{code}-{release}-{architecture}-server"
                for shown in (release, code):
                    parameter = f"{UBUNTU}/{shown}/stable/current/{architecture}/hvm/ebs-{disk}/ami-id"
                    yield parameter, name, cpu, "099720109477", "/dev/sda1"


def register(region, stem, cpu, owner, device):
    store = backends.ec2(region)
    ami = Ami(
        store,
        random_ami_id(),
        name=f"{stem}-{utcnow().strftime('%Y%m%d-%H%M%S')}",
        owner_id=owner,
        public=True,
        virtualization_type="hvm",
        architecture=cpu,
        image_location=f"{owner}/{stem}",
        hypervisor="xen",
        root_device_type="ebs",
        root_device_name=device,
        region_name=f"{region}a",
    )
    store.amis[ami.id] = ami
    return ami.id


def version_of(region, parameter, value, number):
    return Parameter(
        account_id=backends.account,
        name=parameter,
        value=value,
        parameter_type="String",
        description=None,
        allowed_pattern=None,
        keyid=None,
        last_modified_date=utcnow(),
        version=number,
        data_type="aws:ec2:image",
    )


def move(region, parameter):
    """Publishes a newer image under a parameter's name, as its owner does every few weeks, and returns its id."""
    versions = backends.ssm(region)._parameters[parameter]
    if not versions:
        raise KeyError(f"there is no public parameter {parameter} in {region}")
    old = backends.ec2(region).amis[versions[-1].value]
    value = register(region, old.name, old.architecture, old.owner_id, old.root_device_name)
    versions.append(version_of(region, parameter, value, versions[-1].version + 1))
    return value


def install():
    original = ParameterDict._check_loading_status

    def load(self, key):
        original(self, key)
        if getattr(self, "others_loaded", False) or not str(key or "").startswith((DEBIAN, UBUNTU)):
            return
        self.others_loaded = True
        made = {}
        for parameter, *image in published():
            kind = tuple(image)
            if kind not in made:
                made[kind] = register(self.region_name, *image)
            dict.setdefault(self, parameter, []).append(version_of(self.region_name, parameter, made[kind], 1))

    ParameterDict._check_loading_status = load


def login_of(image_name):
    """The user that an image's cloud-init lets in."""
    if image_name.startswith("debian"):
        return "admin"
    return "ubuntu" if image_name.startswith("ubuntu") else "ec2-user"
