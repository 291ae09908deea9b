"""What may be set at the gateway, what is refused, and that it reaches Envoy's configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.stack import gateway
from scripts.stack.gateway_replies import REPLIES
from scripts.stack.gateway_settings import GatewaySettings
from scripts.stack.layout import Ports, Stack, StackError


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack.at(tmp_path, Ports())


def test_defaults_are_the_documented_limits() -> None:
    settings = GatewaySettings.read({})
    assert settings.rate_limit_address_per_minute == 100
    assert settings.rate_limit_user_per_minute == 1000
    assert settings.rate_limit_auth_per_minute == 5
    assert settings.rate_limit_allow == ()
    assert settings.xff_trusted_hops == 0


def test_an_empty_variable_counts_as_not_set() -> None:
    empty = {"RATE_LIMIT_USER_PER_MINUTE": "", "RATE_LIMIT_ALLOW": ""}
    assert GatewaySettings.read(empty) == GatewaySettings.read({})


def test_reading_ignores_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_USER_PER_MINUTE", "7")
    assert GatewaySettings.read({}).rate_limit_user_per_minute == 1000


def test_lists_are_parted_by_commas_or_spaces_and_addresses_become_networks() -> None:
    settings = GatewaySettings.read({"RATE_LIMIT_ALLOW": "10.0.0.1, 192.168.0.0/16 2001:db8::/32"})
    assert settings.rate_limit_allow == ("10.0.0.1/32", "192.168.0.0/16", "2001:db8::/32")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATE_LIMIT_ADDRESS_PER_MINUTE", "0"),
        ("RATE_LIMIT_USER_PER_MINUTE", "many"),
        ("RATE_LIMIT_AUTH_PER_MINUTE", "-1"),
        ("RATE_LIMIT_ALLOW", "10.0.0.0/33"),
        ("RATE_LIMIT_ALLOW", "10.0.0.1/8"),
        ("RATE_LIMIT_ALLOW", "localhost"),
        ("XFF_TRUSTED_HOPS", "-1"),
        ("GATEWAY_LISTEN", "everywhere"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(StackError, match=name):
        GatewaySettings.read({name: value})


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(StackError) as refused:
        GatewaySettings.read({"RATE_LIMIT_USER_PER_MINUTE": "x", "XFF_TRUSTED_HOPS": "y"})
    assert "RATE_LIMIT_USER_PER_MINUTE" in str(refused.value)
    assert "XFF_TRUSTED_HOPS" in str(refused.value)


def test_a_stacks_own_limits_overrule_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XFF_TRUSTED_HOPS", "3")
    stack = Stack.at(tmp_path, Ports())
    assert "xff_num_trusted_hops: 3\n" in gateway.render(stack)
    chosen = Stack(stack.root, stack.ports, stack.keys, overrides={"XFF_TRUSTED_HOPS": "1"})
    assert "xff_num_trusted_hops: 1\n" in gateway.render(chosen)


def test_an_origin_cannot_break_out_of_its_place(stack: Stack) -> None:
    origin = 'https://a.example"}]}#'
    text = gateway.render(stack, {"CORS_ALLOW_ORIGINS": origin})
    assert "- " + json.dumps({"exact": origin}) in text


def test_admin_listens_on_the_machine_itself_alone_whatever_the_api_does(stack: Stack) -> None:
    text = gateway.render(stack, {"GATEWAY_LISTEN": "0.0.0.0"})  # noqa: S104
    assert f'address: "0.0.0.0", port_value: {stack.ports.api} ' in text
    assert f'address: "127.0.0.1", port_value: {stack.ports.gateway_admin} ' in text


def test_no_two_causes_share_a_code_and_the_last_reply_fits_any() -> None:
    codes = [reply.code for reply in REPLIES]
    assert len(codes) == len(set(codes))
    assert REPLIES[-1].when == "true"


def test_the_reference_lists_every_setting_and_every_code() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "gateway.md").read_text()
    names = {name.upper() for name in GatewaySettings.model_fields} | {reply.code for reply in REPLIES}
    assert {name for name in names if f"`{name}`" not in page} == set()
