"""What lies on the disk: never the grant itself, never readable at another place, and never shown by an error."""

import base64
import copy
import os
import pickle
import subprocess
import sys
import traceback
from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge import InvalidRequest, MemoryTokens, NeedsAttention, Secret, Token
from accounting_bridge.clock import SystemClock
from accounting_bridge.testing.token_contract import CANARY, OTHER, TOKEN
from accounting_bridge.tokens import FileTokens, SqliteTokens, TokensUnreadable
from accounting_bridge.tokens.crypto import Sealer, generate_key

KEY, OTHER_KEY, THIRD_KEY = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
STORES = pytest.mark.parametrize("kind", [FileTokens, SqliteTokens])

texts = st.text(max_size=40)
tokens = st.builds(
    Token,
    access=texts,
    refresh=st.none() | texts,
    expires_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    scope=st.none() | texts,
)


@given(tokens, st.text(max_size=20), st.text(max_size=20))
def test_what_was_sealed_opens(token, tenant, vendor):
    assert Sealer(KEY).open(tenant, vendor, Sealer(KEY).seal(tenant, vendor, token)) == token


def test_the_same_grant_is_sealed_differently_each_time():
    sealer = Sealer(KEY)
    sealed = {sealer.seal("t", "v", TOKEN) for _ in range(100)}
    assert len({one[9:21] for one in sealed}) == 100
    assert len({one[21:] for one in sealed}) == 100


@given(st.data())
def test_a_changed_bit_is_noticed_wherever_it_is(data):
    sealed = bytearray(Sealer(KEY).seal("t", "v", TOKEN))
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(TokensUnreadable):
        Sealer(KEY).open("t", "v", bytes(sealed))


@given(st.integers(min_value=0))
def test_a_missing_end_is_noticed(length):
    sealed = Sealer(KEY).seal("t", "v", TOKEN)
    with pytest.raises(TokensUnreadable):
        Sealer(KEY).open("t", "v", sealed[: length % len(sealed)])


@pytest.mark.parametrize("place", [("u", "v"), ("t", "w"), ("", "tv"), ("tv", ""), ("v", "t")])
def test_a_grant_does_not_open_at_another_place(place):
    with pytest.raises(TokensUnreadable, match="belongs to another tenant or vendor"):
        Sealer(KEY).open(*place, Sealer(KEY).seal("t", "v", TOKEN))


def test_the_first_key_writes_and_all_of_them_read():
    old = Sealer(KEY).seal("t", "v", TOKEN)
    ring = Sealer([OTHER_KEY, KEY])
    assert ring.open("t", "v", old) == TOKEN
    new = ring.seal("t", "v", OTHER)
    assert Sealer(OTHER_KEY).open("t", "v", new) == OTHER
    with pytest.raises(TokensUnreadable, match="sealed with key"):
        Sealer(KEY).open("t", "v", new)


def test_a_later_format_is_named():
    sealed = bytes([2]) + Sealer(KEY).seal("t", "v", TOKEN)[1:]
    with pytest.raises(TokensUnreadable, match="format 2, and this version reads format 1"):
        Sealer(KEY).open("t", "v", sealed)


@pytest.mark.parametrize(
    "text", [b"[]", b"{}", b"nonsense", b'{"access":1,"refresh":null,"expires_at":null,"scope":null}']
)
def test_what_is_no_grant_inside_is_damaged(text, monkeypatch):
    monkeypatch.setattr("accounting_bridge.tokens.crypto._to_json", lambda token: text)
    with pytest.raises(TokensUnreadable, match="damaged"):
        Sealer(KEY).open("t", "v", Sealer(KEY).seal("t", "v", TOKEN))


def test_an_expiry_without_a_zone_is_read_as_utc():
    token = evolve(TOKEN, expires_at=datetime(2026, 3, 31, 13))  # noqa: DTZ001
    opened = Sealer(KEY).open("t", "v", Sealer(KEY).seal("t", "v", token))
    assert opened.expires_at == datetime(2026, 3, 31, 13, tzinfo=UTC)


# ---- keys ------------------------------------------------------------------------------------------------------


def test_a_key_may_be_bytes_base64_or_a_secret():
    text, urlsafe = base64.b64encode(b"\xff" * 32).decode(), base64.urlsafe_b64encode(b"\xff" * 32).decode()
    sealed = Sealer(b"\xff" * 32).seal("t", "v", TOKEN)
    for key in (text, urlsafe, f" {text}\n", Secret(text), bytearray(b"\xff" * 32), (text,)):
        assert Sealer(key).open("t", "v", sealed) == TOKEN
    assert Sealer(generate_key()).seal("t", "v", TOKEN)
    assert generate_key() != generate_key()


@pytest.mark.parametrize(
    "key",
    [
        b"short-canary-5512",
        "short-canary-5512",
        "§ canary-5512",
        "",
        [],
        [KEY, b"canary-5512"],
        [1],
        Secret("canary-5512"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(key, tmp_path):
    with pytest.raises(InvalidRequest, match="key: ") as refused:
        SqliteTokens(tmp_path / "grants", key=key)
    assert "canary" not in f"{refused.value!r} {refused.value}"
    assert list(tmp_path.iterdir()) == []


def test_keys_are_not_shown_pickled_or_copied():
    sealer = Sealer(b"canary-key-canary-key-canary-key")
    sealer.seal("t", "v", TOKEN)
    assert "canary" not in f"{sealer} {sealer!r}"
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            take(sealer)


# ---- in the stores ---------------------------------------------------------------------------------------------


@STORES
def test_no_secret_is_ever_in_a_file(kind, tmp_path):
    store = kind(tmp_path / "grants", key=KEY)
    for token in (TOKEN, OTHER, TOKEN):
        store.save("t", "v", token)
        store.acquire("t", "v", "one", 30)
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert len(content) > 100
        for secret in (CANARY.encode(), base64.b64encode(CANARY.encode())[:12], KEY, KEY[:16], KEY.hex().encode()):
            assert secret not in content


@STORES
def test_another_key_is_named_and_nothing_is_lost(kind, tmp_path):
    path = tmp_path / "grants"
    kind(path, key=KEY).save("t", "v", TOKEN)
    wrong = kind(path, key=[OTHER_KEY, THIRD_KEY])
    with pytest.raises(TokensUnreadable, match=r"sealed with key [0-9a-f]{16}, and the keys given are") as refused:
        wrong.load("t", "v")
    assert isinstance(refused.value, NeedsAttention)
    assert refused.value.vendor == "v"
    shown = "".join(traceback.format_exception(refused.value)) + repr(pickle.dumps(refused.value))
    assert CANARY not in shown
    with pytest.raises(TokensUnreadable):
        wrong.replace("t", "v", TOKEN, OTHER)
    assert kind(path, key=KEY).load("t", "v") == TOKEN
    # The owner consents anew: that needs no old key.
    wrong.save("t", "v", OTHER)
    assert wrong.load("t", "v") == OTHER


@STORES
def test_a_grant_moves_to_the_new_key_when_it_is_renewed(kind, tmp_path):
    path = tmp_path / "grants"
    kind(path, key=KEY).save("t", "v", TOKEN)
    kind(path, key=[OTHER_KEY, KEY]).replace("t", "v", TOKEN, OTHER)
    assert kind(path, key=OTHER_KEY).load("t", "v") == OTHER


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_tokens_are_not_pickled_or_copied(take):
    with pytest.raises(TypeError, match="not pickled or copied"):
        take(TOKEN)


@STORES
def test_stores_are_not_shown_pickled_or_copied(kind, tmp_path):
    store = kind(tmp_path / "grants", key=b"canary-key-canary-key-canary-key")
    store.save("t", "v", TOKEN)
    assert "canary" not in f"{store} {store!r}"
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            take(store)


@STORES
def test_only_the_owner_of_the_process_may_read_the_files(kind, tmp_path):
    store = kind(tmp_path / "grants", key=KEY)
    store.save("t", "v", TOKEN)
    store.acquire("t", "v", "one", 30)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@STORES
def test_a_folder_that_does_not_exist_is_named_at_once(kind, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"folder of the token store .*nowhere; make it, or mount the volume"):
        kind(tmp_path / "nowhere" / "grants", key=KEY)


@STORES
def test_all_wrong_arguments_are_named_before_anything_is_made(kind, tmp_path):
    with pytest.raises(InvalidRequest, match="the token store was not opened") as caught:
        kind(None, key=None, clock=1)
    assert [problem.field for problem in caught.value.problems] == ["path", "key", "clock"]
    with pytest.raises(InvalidRequest, match=r"clock: must be an object .*, not the class SystemClock"):
        kind(tmp_path / "grants", key=KEY, clock=SystemClock)
    assert list(tmp_path.iterdir()) == []


def test_grants_in_memory_take_a_clock_only():
    with pytest.raises(InvalidRequest, match="clock: must be an object"):
        MemoryTokens(clock="now")


@STORES
def test_a_change_of_directory_does_not_change_the_store(kind, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    store = kind("grants", key=KEY)
    store.save("t", "v", TOKEN)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert store.load("t", "v") == TOKEN


def test_heavy_modules_are_loaded_when_they_are_needed():
    code = """if True:
        import sys
        import accounting_bridge.tokens as tokens
        heavy = {"sqlite3", "cryptography"}
        assert not heavy & set(sys.modules)
        store = tokens.FileTokens("/tmp/never-written", key=bytes(32))
        assert not heavy & set(sys.modules)
        tokens.SqliteTokens
        assert "cryptography" not in sys.modules
    """
    # Measuring coverage brings sqlite3 into every process.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120, env=env)


def test_the_package_has_no_other_names():
    from accounting_bridge import tokens

    with pytest.raises(AttributeError, match="NoTokens"):
        tokens.NoTokens  # noqa: B018
    assert tokens.__all__ == sorted(tokens.__all__)
