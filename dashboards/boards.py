"""The dashboards by uid, as Python; ./make writes them as the JSON that Grafana reads."""

from agent_board import agent
from mx_board import mx_host
from overview_board import overview

ALL = {"danelaw-overview": overview, "danelaw-mx": mx_host, "danelaw-agent": agent}
