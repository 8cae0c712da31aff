"""moto's server as the AWS of one rehearsal site, run as `python EMULATOR_FOLDER HOST PORT SUBNET`, a /24.

moto answers AWS's own API. What it lacks for instances that boot is put right before it starts: addresses of the site's
network, images for the public parameters, and the refusals that a program has to meet as it would at AWS. The relay in
front of it reads and steers it by JSON below /homeport/.
"""

import os
import sys

host, port, network = sys.argv[1:4]
subnet = ".".join(network.split(".")[:3])

os.environ["MOTO_PORT"] = port
os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"] = "true"

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app  # noqa: E402
from werkzeug.serving import run_simple  # noqa: E402

import addresses  # noqa: E402
import budgets  # noqa: E402
import caches  # noqa: E402
import control  # noqa: E402
import dlm  # noqa: E402
import ids  # noqa: E402
import images  # noqa: E402
import strict  # noqa: E402

addresses.install(subnet)
budgets.install()
caches.install()
ids.install()
images.install()
strict.install()

moto = DomainDispatcherApplication(create_backend_app)
application = ids.per_request(control.in_front_of(dlm.beside(moto)))
run_simple(host, int(port), application, threaded=True, request_handler=MotoRequestHandler)
