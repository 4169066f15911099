"""What secrets look like: the key formats that providers document, and whatever names itself a secret.

A pattern runs only over texts that hold one of its markers, and no part of one can be tried over and over: hostile
texts of a megabyte take milliseconds, and ordinary ones hardly more than the search for the markers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MASK = "[masked]"

_SHORTEST = 8
_LONGEST_NAME = 64

# What a key begins with, and what follows. After a letter or a digit it is part of another word (``task-...``).
_KEYS = {
    "sk-": r"(?:(?:ant|proj|svcacct|admin|or-v1|lf)-[\w-]{12,} | [A-Za-z0-9]{20,}[\w-]* | (?=[\w-]{0,40}\d)[\w-]{16,})",
    "sk_live_": r"\w{8,}",
    "sk_test_": r"\w{8,}",
    "rk_live_": r"\w{8,}",
    "rk_test_": r"\w{8,}",
    "whsec_": r"[A-Za-z0-9+/=]{16,}",
    "sentrial_live_": r"\w{8,}",
    "sentrial_test_": r"\w{8,}",
    "gsk_": r"[A-Za-z0-9]{20,}",
    "xai-": r"[A-Za-z0-9]{20,}",
    "pplx-": r"[A-Za-z0-9]{20,}",
    "nvapi-": r"[\w-]{20,}",
    "tvly-": r"[A-Za-z0-9-]{16,}",
    "r8_": r"[A-Za-z0-9]{20,}",
    "hf_": r"[A-Za-z0-9]{20,}",
    "lsv2_": r"[a-z]{2}_[a-f0-9_]{20,}",
    "AIza": r"[\w-]{30,}",
    "ya29.": r"[\w.-]{20,}",
    "GOCSPX-": r"[\w-]{20,}",
    "AKIA": r"[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ASIA": r"[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ghp_": r"[A-Za-z0-9]{16,}",
    "gho_": r"[A-Za-z0-9]{16,}",
    "ghu_": r"[A-Za-z0-9]{16,}",
    "ghs_": r"[A-Za-z0-9]{16,}",
    "ghr_": r"[A-Za-z0-9]{16,}",
    "github_pat_": r"\w{20,}",
    "glpat-": r"[\w-]{16,}",
    "xox": r"[abeoprs]-[A-Za-z0-9-]{10,}",
    "xapp-": r"[A-Za-z0-9-]{10,}",
    "npm_": r"[A-Za-z0-9]{30,}",
    "pypi-": r"[\w-]{40,}",
    "dop_v1_": r"[a-f0-9]{40,}",
    "shpat_": r"[a-f0-9]{20,}",
    "SG.": r"[\w-]{16,}\.[\w-]{16,}",
}

_JWT = r"(?P<keep>eyJ(?<![\w-]eyJ))[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"
_PEM = (
    r"(?P<keep>-----BEGIN\ [A-Z0-9 ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?-----)(?!\[mask)"
    r".*?(?:-----END\ [A-Z0-9 ]{0,60}-----|\Z)"
)

# A password in an address: up to the last @, since not everybody escapes the ones before.
_URL = r"""(?P<keep>://[^\s:/@"'\\]{0,256}:)(?!\[masked\]@)[^\s/"'\\]+(?=@)"""
_SIGNED_URL = r"""
    (?P<keep>[?&](?i:token|sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature)=)
    (?!\[mask)[^\s&"'\\]{8,}
"""
_COOKIE = r"""(?P<keep>[Cc](?i:ookie)["']?:\s{0,4}["']?)(?!\[mask)(?=[^\s=;"']{1,256}=)[^\r\n"'\\]+"""
_BEARER = r"(?P<keep>[Bb](?i:earer)\s{1,4})(?!\[mask)(?=[A-Za-z._~+/-]{0,200}[0-9=])[A-Za-z0-9._~+/=-]{12,}"
_BASIC = r"(?P<keep>[Bb](?i:asic)\s{1,4})(?=[A-Za-z+/]{0,200}[0-9=])[A-Za-z0-9+/]{12,}={0,2}(?![\w.-])"
_AUTHORIZATION = r"""
    (?P<keep> [Aa](?i:uthorization) (?:\\{0,8}["'])? \s{0,4} [:=] \s{0,4} (?:\\{0,8}["'])?
        (?i:bearer|basic|token|digest|apikey|negotiate|key) \s{1,4} )
    (?! \[mask | < | \{ | \$ ) [^\s"'\\,;]{4,}
"""
# Begins with a set of letters, which is searched for far faster than words whose case does not matter.
_NAMED = r"""
    (?P<keep>
        [AaBbCcIiPpRrSs] (?i:
            (?<=a) (?: pi[_ -]?(?:key|token) | ccess[_ -]?(?:key|token) | uth[_ -]?(?:key|token) | ccount[_ -]?key )
          | (?<=b) (?: earer[_ -]?token | ot[_ -]?token )
          | (?<=c) (?: lient[_ -]?secret | onnection[_ -]?string )
          | (?<=i) d[_-]token
          | (?<=p) (?: assword | asswd | assphrase | wd(?!["'\\\s]{0,4}[:=]\s?/) | rivate[_ -]?key )
          | (?<=r) efresh[_ -]?token
          | (?<=s) (?: ecret (?:[_ -]?(?:access[_ -]?)?key)? | igning[_-]?key | ession[_-]?token
                     | hared[_-]?access[_-]?key )
        )
        (?P<quoted> \\{0,8}["'] )? (?: \s{0,8} (?: =>? | := | == ) \s{0,8} | \s{0,2} : (?P<space>\s{1,8})? )
    )
    (?:
        # A quote may also be the end of a text that ends in "Password: ".
        (?P<escaped> \\{1,8}["'] ) (?(quoted) | (?![)\],;]) ) (?!\[mask) [^"'\\]+
      | (?P<double> " ) (?(quoted) | (?![)\],;]) ) (?!\[mask) (?: [^"\\]+ | \\. )+
      | (?P<single> ' ) (?(quoted) | (?![)\],;]) ) (?!\[mask) (?: [^'\\]+ | \\. )+
        # Calls, subscripts, types and a shell's variables are code that reads a secret, and none.
      | (?! \[mask | [A-Za-z_][\w.]{0,100}[(\[] | \$ | <
          | (?i:str|string|none|null|true|false|undefined|bytes|any|optional|required|yes|no) \b )
        # After a colon and a space stands prose, too: there, what counts is no plain word, or alone on its line.
        (?(space) (?= [^\s"'\\,;&]{0,80} (?: (?<=\d) | (?<=[!@#$%^*+=~|]) [A-Za-z0-9] )
                    | [^\s"'\\,;&]{3,200} [ \t]{0,8} (?: [\r\n] | \Z ) ) )
        [^\s"'\\,;&]{3,}
    )
"""


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of secret: ``pattern`` keeps what tells the reader which; ``markers`` in lower case fit any case."""

    markers: tuple[str, ...]
    pattern: re.Pattern[str]


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE | re.DOTALL | re.ASCII)


_EXACT = (
    *(
        _Shape((marker,), _compile(rf"(?P<keep>{re.escape(marker)}(?<![A-Za-z0-9]{re.escape(marker)})){rest}"))
        for marker, rest in _KEYS.items()
    ),
    _Shape(("eyJ",), _compile(_JWT)),
    _Shape(("-----BEGIN ",), _compile(_PEM)),
    _Shape(("://",), _compile(_URL)),
)
_IN_ANY_CASE = (
    _Shape(("authorization",), _compile(_AUTHORIZATION)),
    _Shape(("bearer",), _compile(_BEARER)),
    _Shape(("basic",), _compile(_BASIC)),
    _Shape(("cookie",), _compile(_COOKIE)),
    _Shape(("token=", "sig=", "signature="), _compile(_SIGNED_URL)),
    _Shape(("password", "passwd", "passphrase", "pwd", "secret", "key", "token", "connection"), _compile(_NAMED)),
)


def mask_secrets(text: str) -> str:
    """``text`` with what looks like a secret replaced by ``[masked]``."""
    if len(text) < _SHORTEST:
        return text
    for shape in _shapes_in(text):
        text = shape.pattern.sub(_replace, text)
    return text


def _shapes_in(text: str) -> Iterator[_Shape]:
    for shape in _EXACT:
        if shape.markers[0] in text:
            yield shape
    if ":" in text or "=" in text or " " in text:
        folded = text.lower()
        for shape in _IN_ANY_CASE:
            if any(marker in folded for marker in shape.markers):
                yield shape


def _replace(match: re.Match[str]) -> str:
    groups = match.groupdict()
    quote = groups.get("escaped") or groups.get("double") or groups.get("single") or ""
    return f"{groups['keep']}{quote}{MASK}"


_NAMES = frozenset({"pwd", "pw", "secrets"})
_ENDINGS = (
    "password", "passwd", "passphrase", "secret", "apikey", "accesskey", "secretkey", "privatekey", "accountkey",
    "signingkey", "encryptionkey", "apitoken", "accesstoken", "refreshtoken", "authtoken", "idtoken", "sessiontoken",
    "securitytoken", "bearertoken", "bottoken", "csrftoken", "xsrftoken", "githubtoken", "slacktoken", "hftoken",
    "authorization", "cookie", "cookies", "connectionstring", "credential", "credentials",
)  # fmt: skip
_NOT_A_LETTER = re.compile(r"[^a-z0-9]")


@lru_cache(maxsize=4096)
def _is_secret(end_of_name: str) -> bool:
    letters = _NOT_A_LETTER.sub("", end_of_name.lower())
    return letters in _NAMES or letters.endswith(_ENDINGS)


def names_a_secret(name: str) -> bool:
    """Whether what stands under ``name`` is secret whatever it is: ``db_password``, ``X-Api-Key``, ``accessToken``."""
    return _is_secret(name[-_LONGEST_NAME:])
