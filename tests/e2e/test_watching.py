"""A stack that is asked to tells by e-mail what goes wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from conftest import BINARIES
from local_farm import local_farm

ALARMS = {"DeadLettersAlarm", "WaitingAlarm", "ErrorsAlarm", "ThrottlesAlarm"}


def test_an_address_is_told_of_what_goes_wrong_and_a_dashboard_shows_the_farm() -> None:
    watched = {"AlarmEmail": "lights@example.com"}
    with local_farm(Path(sys.executable), BINARIES, parameters=watched) as farm:
        cloudwatch, outputs = farm.client("cloudwatch"), farm.outputs()
        alarms = cloudwatch.describe_alarms()["MetricAlarms"]
        topics = {topic for alarm in alarms for topic in alarm["AlarmActions"]}
        assert len(alarms) == len(ALARMS) and len(topics) == 1
        (topic,) = topics
        told = farm.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        assert [(one["Protocol"], one["Endpoint"]) for one in told] == [
            ("email", "lights@example.com")
        ]
        watched_names = {one["Value"] for alarm in alarms for one in alarm["Dimensions"]}
        queues = {outputs[name].rpartition("/")[2] for name in ("QueueUrl", "DeadLetterQueueUrl")}
        assert watched_names == queues | {outputs["ConsumerName"]}
        dashboard = cloudwatch.get_dashboard(DashboardName=farm.stack)["DashboardBody"]
        assert len(json.loads(dashboard)["widgets"]) == 4
