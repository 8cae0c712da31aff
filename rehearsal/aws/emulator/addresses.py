"""Addresses of the site's network, so that what a program is told leads to a host here and never to a stranger."""

from threading import Lock

from moto.ec2.models import elastic_ip_addresses, instances, subnets
from moto.ec2.models.elastic_network_interfaces import NetworkInterface

import backends

# The site's own hosts have 10 to 109.
INSTANCES = range(110, 200)
ELASTIC = range(200, 250)

lock = Lock()
handed_out = set()


def everyone():
    return [one for region in backends.used_regions() for one in backends.ec2(region).all_instances()]


def install(subnet):
    def first_free(numbers, used):
        for number in numbers:
            address = f"{subnet}.{number}"
            if address not in used:
                return address
        raise RuntimeError(f"All {len(numbers)} addresses of the rehearsal's network are taken.")

    def private_address(*_, **__):
        with lock:
            living = {one.private_ip for one in everyone() if one.state != "terminated"}
            handed_out.difference_update({one.private_ip for one in everyone()} - living)
            address = first_free(INSTANCES, handed_out)
            handed_out.add(address)
        return address

    def elastic_address():
        taken = {one.public_ip for region in backends.used_regions() for one in backends.ec2(region).addresses}
        return first_free(ELASTIC, taken)

    def automatic_public_address(self):
        if str(self.public_ip_auto_assign).lower() == "true":
            self.public_ip = self.private_ip_address

    # Without a subnet, moto takes an address from nowhere.
    instances.random_private_ip = private_address
    subnets.Subnet.get_available_subnet_ip = private_address
    elastic_ip_addresses.random_ip = elastic_address
    NetworkInterface.check_auto_public_ip = automatic_public_address
