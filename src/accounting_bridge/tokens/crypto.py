"""How a grant lies on the disk: AES-256-GCM, bound to its tenant and vendor, with the key's id in front.

Format 1::

    1 byte    format (1)
    8 bytes   id of the key: HMAC-SHA256 of a fixed text, which tells nothing of the key
    12 bytes  nonce, random
    rest      ciphertext of the token as JSON, and the 16 bytes of the tag

Associated data are the first 9 bytes, the length of the tenant (4 bytes, big-endian), tenant and vendor (UTF-8): a
grant that was copied to another tenant's place does not open. A random nonce is good for 2^32 grants under one key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, cast

from .._secrets import Secret
from ..errors import InvalidRequest, Problem
from ..flow import Token
from .port import TokensUnreadable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Key: TypeAlias = bytes | str | Secret
"""32 bytes, or their base64 as it comes from an environment variable (see :func:`generate_key`)."""

_FORMAT: Final = 1
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEADER: Final = 1 + _ID_BYTES


def generate_key() -> str:
    """A new key, in base64: keep it where the app keeps its other secrets, apart from the token store."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode("ascii")


class Sealer:
    """Seals and opens grants with a ring of keys: the first one seals, all of them open.

    To change the key, put the new one in front and keep the old one; a grant moves to the new key when it is next
    renewed or saved.

    Raises:
        InvalidRequest: no key, or one that is not 32 bytes long; no message shows a key.
    """

    __slots__ = ("_ciphers", "_first", "_keys")

    def __init__(self, key: Key | Sequence[Key]) -> None:
        # Anything else that is no sequence (None, for one) is a wrong key of its own.
        is_one = isinstance(key, bytes | bytearray | str | Secret) or not isinstance(key, Iterable)
        given: list[object] = [key] if is_one else [*cast("Iterable[object]", key)]
        keys = [_key_bytes(one) for one in given]
        if not keys:
            raise _bad_key("is missing")
        self._keys = {_key_id(one): one for one in keys}
        self._first = _key_id(keys[0])
        self._ciphers: dict[bytes, AESGCM] = {}

    def seal(self, tenant: str, vendor: str, token: Token) -> bytes:
        """The grant as it is stored; different bytes each time."""
        header = bytes([_FORMAT]) + self._first
        nonce = os.urandom(_NONCE_BYTES)
        associated = header + _place(tenant, vendor)
        return header + nonce + self._cipher(self._first).encrypt(nonce, _to_json(token), associated)

    def open(self, tenant: str, vendor: str, sealed: bytes) -> Token:
        """The grant.

        Raises:
            TokensUnreadable: another key, another tenant's or vendor's grant, damage, or a later format.
        """
        if len(sealed) < _HEADER + _NONCE_BYTES + _TAG_BYTES:
            raise _unreadable(vendor, "it is damaged (too short)")
        if sealed[0] != _FORMAT:
            raise _unreadable(vendor, f"it has format {sealed[0]}, and this version reads format {_FORMAT}")
        header, rest = sealed[:_HEADER], sealed[_HEADER:]
        key_id = header[1:]
        if key_id not in self._keys:
            known = ", ".join(one.hex() for one in self._keys)
            raise _unreadable(vendor, f"it was sealed with key {key_id.hex()}, and the keys given are {known}")
        from cryptography.exceptions import InvalidTag

        associated = header + _place(tenant, vendor)
        try:
            text = self._cipher(key_id).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], associated)
        except InvalidTag:
            text = None
        # Raised out here, so that no half-read value is in the chain or the frames of the error.
        token = None if text is None else _from_json(text)
        if token is None:
            raise _unreadable(vendor, "it is damaged, or belongs to another tenant or vendor")
        return token

    def _cipher(self, key_id: bytes) -> AESGCM:
        if (cipher := self._ciphers.get(key_id)) is None:
            # Loading it takes longer than the rest of the package; vendors with plain keys never need it.
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            cipher = self._ciphers[key_id] = AESGCM(self._keys[key_id])
        return cipher

    def __repr__(self) -> str:
        return f"Sealer({self._first.hex()})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("keys are not pickled or copied: pass them where they are needed")


def _key_bytes(key: object) -> bytes:
    if isinstance(key, Secret):
        key = key.reveal()
    if isinstance(key, str):
        try:
            key = base64.b64decode(key.strip().translate({ord("-"): "+", ord("_"): "/"}), validate=True)
        except (binascii.Error, ValueError):
            key = b""
    if not isinstance(key, bytes | bytearray) or len(key) != _KEY_BYTES:
        raise _bad_key(f"must be {_KEY_BYTES} bytes, or their base64: generate_key() makes one")
    return bytes(key)


def _bad_key(problem: str) -> InvalidRequest:
    return InvalidRequest("the token store was not opened", problems=[Problem("key", problem)])


def _key_id(key: bytes) -> bytes:
    return hmac.digest(key, b"accounting_bridge token store key id", hashlib.sha256)[:_ID_BYTES]


def _place(tenant: str, vendor: str) -> bytes:
    # With the length in front: ("a", "bc") and ("ab", "c") are two places.
    name = tenant.encode("utf-8", "surrogatepass")
    return struct.pack(">I", len(name)) + name + vendor.encode("utf-8", "surrogatepass")


def _unreadable(vendor: str, why: str) -> TokensUnreadable:
    return TokensUnreadable(f"the stored grant cannot be read: {why}; it was left as it is", vendor=vendor)


def _to_json(token: Token) -> bytes:
    expires = token.expires_at
    if expires is not None and expires.tzinfo is None:
        # Refusing it would lose a grant that the vendor has already rotated.
        expires = expires.replace(tzinfo=UTC)
    fields = {
        "access": token.access,
        "refresh": token.refresh,
        "expires_at": expires.isoformat() if expires is not None else None,
        "scope": token.scope,
    }
    return json.dumps(fields, separators=(",", ":")).encode("ascii")


def _from_json(text: bytes) -> Token | None:
    """The token; None for anything else, which only another program could have sealed with this key."""
    try:
        fields = json.loads(text)
        texts = fields["access"], fields["refresh"], fields["scope"]
        expires = fields["expires_at"]
        expires_at = datetime.fromisoformat(expires) if expires is not None else None
    except (ValueError, TypeError, KeyError):
        return None
    access, refresh, scope = texts
    if not isinstance(access, str) or not isinstance(refresh, str | None) or not isinstance(scope, str | None):
        return None
    return Token(access=access, refresh=refresh, expires_at=expires_at, scope=scope)
