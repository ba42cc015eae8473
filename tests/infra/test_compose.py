"""docker-compose.yml, read as strictly as Compose reads it, and held to what we ask of it."""

import json
import re
import tomllib
from xml.etree import ElementTree as ET

import pytest
import yaml
from compose_spec import PyCompose

from infra.postgres.server import LOCALE
from streams.backends.kafka.drift import RETENTION_MINUTES
from streams.settings import load
from tests.support import dockerfile
from tests.support.compose import COMPOSE, OURS, ROOT, conditions, read

FILE = read()
SERVICES = FILE["services"]
ONE_SHOT = {"topics"}
PUBLISHED = {
    "api": ["127.0.0.1:8080:8080"],
    "dashboard": ["127.0.0.1:8501:8501"],
    "prometheus": ["127.0.0.1:9090:9090"],
    "grafana": ["127.0.0.1:3000:3000"],
}
WRITES_ITS_SETTINGS = {"kafka"}
SECRETS = {"postgres", "write", "dispatch", "dashboard", "grafana"}

every_service = pytest.mark.parametrize("name", SERVICES)


def test_it_is_what_the_specification_says():
    read_back = PyCompose.from_json(json.dumps(FILE))
    assert sorted(read_back.service_names()) == sorted(SERVICES)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"memlimit": "1g"}, "memlimit"),
        ({"restart": "sometimes"}, "sometimes"),
        ({"depends_on": {"kafka": {"condition": "service_well"}}}, "service_well"),
        ({"healthcheck": {"test": ["CMD", "true"], "interval": "soon"}}, "soon"),
    ],
)
def test_what_the_specification_does_not_know_is_refused(wrong, why):
    said = {"services": {"merge": {"image": "rollcall:1", **wrong}}}
    with pytest.raises(ValueError, match=why):
        PyCompose.from_json(json.dumps(said))


def test_every_stage_of_the_system_is_there():
    assert sorted(SERVICES) == [
        *("api", "dashboard", "dispatch", "grafana", "kafka", "merge", "poll", "postgres"),
        *("prometheus", "topics", "worker-1", "worker-2", "write"),
    ]


@every_service
def test_images_are_pinned_to_a_version(name):
    repository, _, tag = SERVICES[name]["image"].partition(":")
    assert repository
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z]+)?", tag), tag


def test_the_broker_is_the_one_that_the_tests_run():
    pom = ET.parse(ROOT / "infra/kafka/pom.xml")  # noqa: S314 - our own file
    version = pom.findtext(".//{*}kafka.version")
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version}"


def test_our_image_is_that_of_this_version_and_built_here():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ours = [one for one in SERVICES.values() if one["image"].startswith(OURS)]
    assert {one["image"] for one in ours} == {f"rollcall:{project['version']}"}
    assert [one["build"] for one in ours] == [{"context": "."}] * 9


@every_service
def test_nobody_is_root_or_may_become_it(name):
    service = SERVICES[name]
    assert service["user"].partition(":")[0] not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("read_only", False) is (name not in WRITES_ITS_SETTINGS)


@every_service
def test_nobody_can_take_the_whole_host(name):
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert SERVICES[name]["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


def test_all_together_fit_on_a_host_of_16_gib():
    memory = [one["deploy"]["resources"]["limits"]["memory"] for one in SERVICES.values()]
    in_mib = [int(one[:-1]) * (1024 if one.endswith("G") else 1) for one in memory]
    assert sum(in_mib) == 13_312


@every_service
def test_what_dies_is_started_again_and_what_stops_is_given_time(name):
    service = SERVICES[name]
    assert service["restart"] == ("on-failure" if name in ONE_SHOT else "unless-stopped")
    # The roles leave by themselves within 20 s.
    assert service["stop_grace_period"] == "30s"


@every_service
def test_everything_that_stays_has_a_health_check(name):
    check = SERVICES[name]["healthcheck"]
    if name in ONE_SHOT:
        assert check == {"disable": True}
        return
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@every_service
def test_whom_it_waits_for_is_there_and_can_be_waited_for(name):
    for other, condition in conditions(SERVICES[name]).items():
        expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert condition == expected
        assert other in SERVICES


@every_service
def test_only_the_screens_and_the_api_can_be_reached_and_from_this_host_alone(name):
    assert SERVICES[name].get("ports", []) == PUBLISHED.get(name, [])


def test_broker_and_database_are_on_the_closed_network_alone():
    assert FILE["networks"]["inside"] == {"internal": True}
    closed = {name for name, one in SERVICES.items() if one["networks"] == ["inside"]}
    assert closed == {"kafka", "postgres", "topics", "merge", "worker-1", "worker-2", "write"}
    for name, one in SERVICES.items():
        assert "inside" in one["networks"], name


@every_service
def test_every_variable_of_ours_is_a_setting(name):
    said = SERVICES[name].get("environment", {})
    assert all(isinstance(value, str) for value in said.values())
    load(None, said)


def test_every_role_is_asked_by_the_name_of_its_service():
    for name, one in SERVICES.items():
        names = one.get("environment", {}).get("ROLLCALL_PORTS_NAMES")
        if names is not None:
            roles = {"api", "merge", "worker-1", "worker-2", "write", "poll", "dispatch"}
            assert set(json.loads(names)) == roles, name


def test_passwords_come_from_files_that_are_in_no_commit_and_go_to_whom_they_concern():
    assert FILE["secrets"] == {
        "postgres_password": {"file": "./var/secrets/postgres_password"},
        "grafana_password": {"file": "./var/secrets/grafana_password"},
    }
    assert "var/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {name for name, one in SERVICES.items() if "secrets" in one} == SECRETS
    for name, one in SERVICES.items():
        for secret in re.findall(r"/run/secrets/(\w+)", json.dumps(one)):
            assert secret in one["secrets"], name


def test_what_is_kept_is_in_a_volume_of_its_own():
    kept = [
        volume.split(":")[0]
        for one in SERVICES.values()
        for volume in one.get("volumes", ())
        if not volume.startswith("./")
    ]
    assert sorted(kept) == sorted(FILE["volumes"])


@pytest.mark.parametrize(
    "mounted",
    [
        volume
        for one in SERVICES.values()
        for volume in one.get("volumes", ())
        if volume.startswith("./")
    ],
)
def test_what_is_mounted_is_in_the_repository_and_read_only(mounted):
    here, _, how = mounted.split(":")
    assert how == "ro"
    assert any(path.is_file() for path in (ROOT / here).rglob("*"))


def test_grafana_finds_the_dashboards_where_they_are_mounted():
    mounts = [one.split(":") for one in SERVICES["grafana"]["volumes"]]
    ((where, _),) = [(at, here) for here, at, *_ in mounts if here == "./infra/grafana/dashboards"]
    providers = [
        provider
        for path in (ROOT / "infra/grafana/provisioning/dashboards").glob("*.yml")
        for provider in yaml.safe_load(path.read_text("utf-8"))["providers"]
    ]
    assert [one["options"]["path"] for one in providers] == [where]


def test_the_broker_is_told_what_the_topics_need():
    said = SERVICES["kafka"]["environment"]
    assert int(said["KAFKA_OFFSETS_RETENTION_MINUTES"]) == RETENTION_MINUTES
    assert said["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_the_database_is_made_as_that_of_the_tests():
    assert LOCALE in SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]


def test_a_variable_of_the_operator_reaches_poller_and_writer():
    told = read({"ROLLCALL_FEEDS_CONTACT": "duty@example.org"})["services"]
    for name in ("poll", "write"):
        assert told[name]["environment"]["ROLLCALL_FEEDS_CONTACT"] == "duty@example.org"
        assert SERVICES[name]["environment"]["ROLLCALL_FEEDS_CONTACT"] == "no contact given"
    assert re.sub(r"\$\{\w+:-[^}]*\}", "", COMPOSE.read_text("utf-8")).count("$") == 0


def test_everybody_with_our_image_is_its_user_and_works_in_its_directory():
    said = {one.name: one.said for one in dockerfile.instructions() if one.stage == ""}
    ours = [one for one in SERVICES.values() if one["image"].startswith(OURS)]
    assert {one["user"] for one in ours} == {said["USER"]}
    data = dockerfile.environment()["ROLLCALL_DATA"]
    for one in ours:
        places = [*one.get("volumes", ()), *(f":{at}" for at in one["tmpfs"])]
        assert any(f":{data}" in place for place in places)
