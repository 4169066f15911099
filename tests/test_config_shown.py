"""What is shown of a configuration, and of what was given for one: never a key."""

from __future__ import annotations

import pytest

from sentrial import SentrialClient
from sentrial._config import read_config

KEY = "sentrial_live_0123456789"
HIDDEN = "(not shown, for it may be a key)"


def test_the_key_is_never_printed(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("SENTRIAL_API_KEY", f"{KEY} with words")
    monkeypatch.setenv("SENTRIAL_API_URL", KEY)
    read_config({"api_key": f"{KEY}\n{KEY}", "api_url": KEY})
    read_config({"api_url": f"ftp://me:{KEY}@host/path?key={KEY}"})
    words = []
    for given in ({"api_key": f"{KEY} x"}, {"api_url": KEY}, {"api_url": f"ftp://{KEY}@host"}):
        with pytest.raises(ValueError, match="is not usable") as caught:
            read_config(given, strict=True)
        words.append(f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}")
    monkeypatch.delenv("SENTRIAL_API_KEY")
    monkeypatch.delenv("SENTRIAL_API_URL")
    config = read_config({"api_key": KEY})
    client = SentrialClient(api_key=KEY)
    words += [repr(config), str(config), repr(client), str(client), str(client._account), f"{client._account!r}"]
    assert config.api_key == KEY
    assert len(caplog.records) >= 4
    assert KEY not in caplog.text
    assert KEY not in " ".join(words)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("api.sentrial.com", "'api.sentrial.com'"),
        ("sentrial.internal:8080/v1", "'sentrial.internal:8080/v1'"),
        ("localhost:8080", "'localhost:8080'"),
        ("10.0.0.7:80/?sig=abc", "'10.0.0.7:80/'"),
        ("me:hunter2@host.example", HIDDEN),
        ("sentrial", HIDDEN),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r", HIDDEN),
        ("SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz", HIDDEN),
    ],
)
def test_an_address_without_its_scheme_is_shown_where_it_cannot_be_a_key(
    address: str, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    read_config({"api_url": address})
    assert caplog.messages == [
        f"sentrial: api_url={shown} is not usable: it must be an address that starts with http:// or https://. "
        "It is ignored."
    ]


def test_a_key_given_for_the_address_is_not_shown_and_an_address_is(caplog: pytest.LogCaptureFixture) -> None:
    read_config({"api_url": KEY})
    read_config({"api_url": "ftp://me:hunter2@host.example/path?sig=abc"})
    assert [record.getMessage() for record in caplog.records] == [
        "sentrial: api_url=(not shown, for it may be a key) is not usable: it must be an address that starts with "
        "http:// or https://. It is ignored.",
        "sentrial: api_url='ftp://host.example/path' is not usable: it must be an address that starts with http:// or "
        "https://. It is ignored.",
    ]
