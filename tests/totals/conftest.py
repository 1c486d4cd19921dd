"""How many invoices are tried a vendor, and half as many sales: 150, or what ``TOTALS_EXAMPLES`` says."""

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("TOTALS_EXAMPLES", "150"))

settings.register_profile(
    "totals", max_examples=EXAMPLES, deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],  # explaining traces every line: too slow
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip
