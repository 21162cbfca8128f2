"""What every process tells of itself."""

from prometheus_client import Gauge

BUILD_INFO = Gauge("exchange_build_info", "Always 1; which version of the exchange this process runs.", ["version"])
