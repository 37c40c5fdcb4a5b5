"""E-mail addresses and passwords: what is taken, and why not."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from app.domain.names import refuse
from app.domain.text_rules import is_forbidden, to_nfc

MAX_EMAIL: Final = 254  # RFC 5321: a path of 256 with its brackets
MAX_LOCAL_PART: Final = 64
MIN_PASSWORD: Final = 10
MAX_PASSWORD: Final = 1024

_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"]+")
_DOMAIN_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")

# The head of the lists of leaked passwords, as far as they are long enough to be typed here.
_USUAL_GUESSES = """
1234567890 0123456789 0987654321 12345678910 123456789a a123456789 1q2w3e4r5t 1qaz2wsx3edc
qwertyuiop qwerty12345 qwerty123456 q1w2e3r4t5 1234567891 123123123123 password12
password123 password1234 passwordpassword letmein123 iloveyou123 iloveyou12 welcome123
welcome1234 administrator admin12345 admin123456 changeme123 qwertyuiop123 asdfghjkl1
asdfghjkl123 zxcvbnm123 abcdefghij abcdefghijk abcd123456 abc1234567 1111122222
12341234123 987654321a football123 baseball123 princess123 sunshine123 superman123
master1234 monkey12345 dragon1234 trustno1234 starwars123 whatever123 michael123
charlie123 darkroom123 darkroomdarkroom
"""
_COMMONEST: Final = frozenset(_USUAL_GUESSES.split())


def clean_email(text: object, path: str = "email") -> str:
    """An address as it is kept and shown: NFC, one ``@``, at most 254 characters.

    The local part keeps its case. Whether the address receives mail is not asked: a site
    without mail has accounts too (``me@localhost``). Raises ``InvalidInput``.
    """
    address = to_nfc(text).strip() if isinstance(text, str) else ""
    local, _, domain = address.rpartition("@")
    if not (_is_local_part(local) and _is_domain(domain)) or len(address) > MAX_EMAIL:
        raise refuse(path, "This is not an e-mail address.")
    return address


def _is_local_part(local: str) -> bool:
    fits = 0 < len(local) <= MAX_LOCAL_PART and not any(map(is_forbidden, local))
    return fits and _LOCAL.fullmatch(local) is not None


def _is_domain(domain: str) -> bool:
    return all(_DOMAIN_LABEL.fullmatch(label) for label in domain.split("."))


def email_key(address: str) -> bytes:
    """What two addresses of one account have in common: casefolded, NFC, UTF-8.

    Takes any text, also one that is no address: it then simply finds nobody.
    """
    folded = unicodedata.normalize("NFC", to_nfc(address).strip().casefold())
    return folded.encode("utf-8", "replace")


def check_password(password: object, email: str, path: str = "password") -> str:
    """The password, unchanged, when it may be chosen: long enough, and no usual guess.

    No rule about digits or signs: length is what costs a guesser (NIST SP 800-63B).
    Raises ``InvalidInput``; the message never repeats the password.
    """
    if not isinstance(password, str):
        raise refuse(path, "This must be text.")
    if len(password) < MIN_PASSWORD:
        raise refuse(path, f"A password has at least {MIN_PASSWORD} characters.")
    if len(password) > MAX_PASSWORD:
        raise refuse(path, f"A password has at most {MAX_PASSWORD} characters.")
    if _is_usual_guess(password.casefold().strip(), email.casefold()):
        raise refuse(path, "This password is among the first that anybody would try.")
    return password


def _is_usual_guess(folded: str, email: str) -> bool:
    return (
        len(set(folded)) < 3 or folded in _COMMONEST or folded in {email, email.split("@")[0]}
    )
