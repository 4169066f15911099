from __future__ import annotations

import base64
import json
import subprocess
import sys
import uuid

import pytest

from sentrial._export.secrets import mask_secrets, names_a_secret

HEX = "0123456789abcdef" * 4
KEY = "sentrial_live_0123456789"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nq83v\n-----END RSA PRIVATE KEY-----"

# Text, and the part of it that must not leave.
SECRETS: dict[str, tuple[str, str]] = {
    "openai": ("use sk-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL now", "abcdefghijkl"),
    "openai project": ("sk-proj-Ab_c-0123456789abcdef", "0123456789abcdef"),
    "openai letters only": ("sk-abcdefghijklmnopqrstuvwx", "abcdefghijkl"),
    "anthropic": ("sk-ant-api03-abcdefghijkl-0123456789", "abcdefghijkl"),
    "openrouter": (f"sk-or-v1-{HEX}", HEX),
    "groq": ("gsk_0123456789abcdefghijABCDEFGHIJ", "0123456789abcdefghij"),
    "xai": ("xai-0123456789abcdefghijABCDEFGHIJ", "0123456789abcdefghij"),
    "hugging face": ("hf_abcdefghijklmnopqrstuvwxyzABCDEF", "abcdefghijklm"),
    "langsmith": (f"lsv2_pt_{HEX[:32]}_0123456789", HEX[:32]),
    "google": ("AIzaSyA0123456789abcdefghijklmnopqrstuvw", "0123456789abcdef"),
    "google oauth": ("ya29.a0AfH6SMC0123456789abcdef", "0123456789abcdef"),
    "aws id": ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    "aws temporary id": ("ASIAIOSFODNN7EXAMPLE.", "IOSFODNN7EXAMPLE"),
    "aws secret": ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    "github": ("git clone https://ghp_0123456789abcdefghijklmnopqrstuvwxyz@github.com/a/b", "0123456789abcdef"),
    "github fine grained": (f"github_pat_11ABCDEFG0_{HEX}", HEX),
    "gitlab": ("glpat-0123456789abcdefghij", "0123456789abcdef"),
    "slack": ("xoxb-123456789012-abcdefghijkl", "123456789012"),
    "stripe": ("sk_live_0123456789abcdef", "0123456789abcdef"),
    "stripe hook": ("whsec_0123456789abcdef0123", "0123456789abcdef"),
    "sendgrid": ("SG.0123456789abcdefghijkl.0123456789abcdefghijklmnopqrstuvwxyz", "0123456789abcdef"),
    "npm": ("//registry.npmjs.org/:_authToken=npm_0123456789abcdefghijklmnopqrstuvwxyz", "0123456789abcdef"),
    "pypi": (f"pypi-AgEIcHlwaS5vcmcC{HEX}", HEX),
    "ours": (f"SENTRIAL_API_KEY={KEY}", "0123456789"),
    "jwt": (f"token {JWT}", "dozjgNryP4J3jVmNHl0w5N"),
    "pem": (f"key:\n{PEM}\nend", "MIIEowIBAAKCAQEA"),
    "pem in json": (json.dumps({"private_key": PEM, "client": "x"}), "MIIEowIBAAKCAQEA"),
    "pem cut off": (PEM[:60], "MIIEowIB"),
    "pgp": ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK-----", "lQOYBF"),
    "bearer": ("curl -H 'X: Bearer abcdef0123456789'", "abcdef0123456789"),
    "bearer header": ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
    "basic header": ('{"Authorization": "Basic dXNlcjpwYXNz"}', "dXNlcjpwYXNz"),
    "basic": ("Basic dXNlcjpodW50ZXIy==", "dXNlcjpodW50ZXIy"),
    "authorization bare": ("authorization: token abcd1234", "abcd1234"),
    "cookie": ("Cookie: sid=abc123def; theme=dark", "abc123def"),
    "set-cookie": ("Set-Cookie: session=abc123def; HttpOnly", "abc123def"),
    "postgres": ("postgres://admin:hunter2@db.example.com:5432/prod", "hunter2"),
    "postgres unescaped": ("postgres://admin:p@ss:w@rd@db.example.com/prod", "ss:w@rd"),
    "redis without user": ("redis://:hunter2@cache:6379/0", "hunter2"),
    "odbc": ("Server=db;Uid=sa;Password=hunter2;Encrypt=yes", "hunter2"),
    "azure storage": ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abcd/EFGH+ijk==;", "abcd/EFGH"),
    "service bus": ("Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey=abcd/EFGH==", "abcd/EFGH"),
    "jdbc": ("jdbc:postgresql://host/db?user=a&password=hunter2&ssl=true", "hunter2"),
    "signed url": ("https://x.blob.core.windows.net/c?sv=1&sig=abcd%2FEFGHijkl%3D", "abcd%2FEFGH"),
    "s3 url": (f"https://b.s3.amazonaws.com/k?X-Amz-Expires=9&X-Amz-Signature={HEX}", HEX),
    "env": ("export OPENAI_API_KEY=abcdefgh", "abcdefgh"),
    "env quoted": ("DB_PASSWORD='correct horse battery'", "horse"),
    "json": ('{"user": "a", "password": "correct horse", "n": 1}', "horse"),
    "json compact": ('{"apiKey":"abc def","n":1}', "abc def"),
    "json in json": (json.dumps(json.dumps({"password": "hunter two"})), "hunter two"),
    "json in json in json": (json.dumps(json.dumps(json.dumps({"client_secret": "hunter two"}))), "hunter two"),
    "json with escapes": (json.dumps({"passphrase": 'a"quoted"\\tail'}), "tail"),
    "json of brackets": ('{"password": ")hunter2"}', "hunter2"),
    "python repr": ("{'password': 'hunter two', 'n': 1}", "hunter two"),
    "keyword": ("connect(host='x', password='hunter2')", "hunter2"),
    "yaml": ("user: bob\npassword: correcthorse\nport: 5432\n", "correcthorse"),
    "toml": ('access_token = "abc"', '"abc"'),
    "ini": ("password = correcthorse", "correcthorse"),
    "said in a message": ("my password: hunter2, please reset it", "hunter2"),
    "camel case": ("clientSecret=abcdefgh&accessToken=ijklmnop", "ijklmnop"),
    "with spaces": ("API key: abcd1234efgh", "abcd1234efgh"),
}

ORDINARY = [
    "",
    "ok",
    str(uuid.UUID(int=2**127 + 12345)),
    "commit 3f786850e387550fdab836ed7e6dc881de23001b is on main",
    f"sha256:{HEX}",
    "d41d8cd98f00b204e9800998ecf8427e  empty.txt",
    "How do I reset my password? I forgot my password and the secret question.",
    "Password: click the link in the e-mail to reset it.",
    "A strong password: at least twelve characters, no names.",
    "The secret: always preheat the oven. The key: patience.",
    "The API key: where do I find it in the dashboard?",
    "Passwords must not be shared. Your access token expires after 3600 seconds.",
    "Tell me a secret. Secretary of state. Keyboard: 104 keys. Tokens: 1500 in, 340 out.",
    "max_tokens=4096, prompt_tokens: 1200, next_page_token: 3, total_tokens=1540",
    "gpt-4o-mini-2024-07-18 claude-sonnet-4-5-20250929 gemini-2.5-flash-lite-preview-09-2025 o4-mini",
    "chatcmpl-AbC123dEf456GhI789 call_abc123DEF456ghi789 resp_0123456789abcdef toolu_01A09q90qw90lq917835",
    "4111 1111 1111 1111, +49 30 901820, 1732161600, 3.14159, 0x7fff5fbff8c0, 1e-9",
    "regions: asia-northeast1-docker.pkg.dev asia-southeast1-a ASIA-PACIFIC-SOUTHEAST",
    "pip install scikit-learn; <div class=sk-container-id-1>; sk-fading-circle-wrapper; task-1234567890abcdefghij",
    "from huggingface_hub import hf_hub_download; npm_config_registry_url; risk-management-framework-2024",
    "basic understanding of JavaScript; Basic HTTP/1.1-compatible; bearer certificates; the bearer of this letter",
    "https://example.com:8080/path?user=a&page=2#frag http://localhost:3000/@me git@github.com:a/b.git mail me@x.org",
    "see https://en.wikipedia.org/wiki/Password and http://[::1]:8080/ at 10:30:00",
    "api_key = os.environ['OPENAI_API_KEY']; password = getpass.getpass('Password: '); token=self.tokens[0]",
    "def login(user: str, password: str) -> None: ...",
    "secret: string; apiKey?: string; interface X { password: string, secret: null }",
    'export API_KEY=$OPENAI_API_KEY; curl -H "Authorization: Bearer $TOKEN" -H "Authorization: Bearer <token>"',
    "PWD=/home/user/project\nOLDPWD=/home/user",
    "cookie: a small file that a site stores. Cookies: 12 pieces, 200 g flour.",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq\n-----END PUBLIC KEY-----",
    "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 3).decode(),
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "s3://bucket/key/with/secret-garden/the-book.txt arn:aws:iam::123456789012:role/deploy",
    '{"role": "user", "content": "What is the refund policy?", "tokens": [1, 2], "key": "value", "primary_key": "id"}',
    '{"token": "hello", "logprob": -0.1, "bytes": [104]}',
    "Schlüssel: \U0001f511, 密码, пароль",
]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_a_text_is_masked(name: str) -> None:
    text, secret = SECRETS[name]
    assert secret in text
    masked = mask_secrets(text)
    assert secret not in masked
    assert "[masked]" in masked
    within = mask_secrets(f"before {text} after")
    assert secret not in within
    assert within.startswith("before ")
    # Not again, and never more: what was masked stays as it is.
    assert mask_secrets(masked) == masked


def test_what_surrounds_a_secret_stays() -> None:
    assert mask_secrets("postgres://admin:hunter2@db:5432/prod") == "postgres://admin:[masked]@db:5432/prod"
    assert mask_secrets('{"password": "hunter2", "n": 1}') == '{"password": "[masked]", "n": 1}'
    assert mask_secrets("a sk-proj-0123456789abcdef b") == "a sk-[masked] b"
    assert mask_secrets(f"x {PEM} y") == "x -----BEGIN RSA PRIVATE KEY-----[masked] y"
    assert mask_secrets("Authorization: Bearer abcdefgh0123, x") == "Authorization: Bearer [masked], x"


@pytest.mark.parametrize("text", ORDINARY, ids=lambda text: text[:30])
def test_an_ordinary_text_is_left_alone(text: str) -> None:
    assert mask_secrets(text) == text


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True), ("db_password", True), ("Password", True), ("x-api-key", True), ("X-Api-Key", True),
        ("openai_api_key", True), ("apiKey", True), ("clientSecret", True), ("Authorization", True), ("cookie", True),
        ("Set-Cookie", True), ("accessToken", True), ("refresh_token", True), ("private_key", True), ("pwd", True),
        ("credentials", True), ("http.request.header.authorization", True), ("x" * 5_000 + "_password", True),
        ("token", False), ("max_tokens", False), ("next_page_token", False), ("key", False), ("primary_key", False),
        ("passwordless", False), ("secretary", False), ("", False), ("user", False), ("api_key_id", False),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_names_of_secrets_are_known(name: str, secret: bool) -> None:
    assert names_a_secret(name) is secret


# --- hostile texts ----------------------------------------------------------------------------------------------------

HOSTILE = """
from sentrial._export.secrets import mask_secrets
units = [
    "a", "a.", "A", "0", "=", ":", "@", "/", chr(92), '"', "'", " ", "-", "_", "a:", "sk-", "sk-a", "eyJ", "eyJ-",
    "eyJaaaaaaaa.", "password", "password=", "password: ", "password:a", "password: a ", "password: !", 'password="',
    'password="' + chr(92), "password=" + chr(92) * 3 + '"', "password" + chr(92) * 9, "password  ", "secret", "key ",
    "api", "Bearer ", "Bearer a", "Basic A", "Authorization: Bearer ", "Authorization:", "://", "://a", "://a:", "://:a",
    "://a:b@", "a@", "-----BEGIN ", "-----BEGIN A", "-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY----- x",
    "AKIA", "ghp_", "hf_", "SG.", "SG.aaaaaaaaaaaaaaaaaaa.", "ya29.", "Cookie:", "Cookie: a", "Cookie: a=", "?sig=",
    "&token=a", "xox", "lsv2_", "pypi-", "data:image/png;base64,", "\\u0130", "\\ud800", "p", "s", "pa", "se",
]
for unit in units:
    mask_secrets((unit * (1_000_000 // len(unit) + 1))[:1_000_000])
    mask_secrets("sk-" + unit * 20_000 + "=:password=eyJ")
print("through")
"""


def test_no_text_of_a_megabyte_sends_a_pattern_back_and_forth() -> None:
    # Quadratic patterns need hours for one of these; all of them together take seconds.
    done = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.stderr) == ("through\n", "")
