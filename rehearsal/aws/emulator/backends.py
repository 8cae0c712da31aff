"""moto's stores of the one account that a rehearsal has."""

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.ssm.models import ssm_backends

account = DEFAULT_ACCOUNT_ID


def ec2(region):
    return ec2_backends[account][region]


def ssm(region):
    return ssm_backends[account][region]


def used_regions():
    """The regions that anything was asked of: to look at another one would load its hundreds of images."""
    return list(ec2_backends[account].keys())
