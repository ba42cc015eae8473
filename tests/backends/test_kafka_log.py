import pytest

from tests.contracts.event_log import EventLogContract
from tests.support.cluster import open_log

pytestmark = pytest.mark.kafka


class TestKafkaLog(EventLogContract):
    @pytest.fixture(autouse=True)
    def _broker(self, kafka):
        self.kafka = kafka

    def open(self, directory, **settings):
        return open_log(self.kafka, directory, **settings)
