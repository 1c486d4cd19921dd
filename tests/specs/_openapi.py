"""A vendor's own OpenAPI document, as a judge of recorded traffic: what of a call and its answer it does not describe.

Stricter than the documents themselves: a property or query parameter that is not described is a finding, also where
the document leaves an object open, because nothing should travel that nobody has documented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from attrs import frozen
from openapi_schema_validator import OAS30Validator, OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4, DRAFT202012

from accounting_bridge.sandbox.wire import Call, Reply

_JSON = "application/json"


@frozen
class Exchange:
    """A call as it came out of the socket, and what was answered."""

    call: Call
    reply: Reply


@frozen
class Document:
    """The document twice: as it reads for requests (nothing that is read-only) and for answers."""

    paths: Mapping[str, Any]
    sent: Any
    answered: Any
    prefix: str

    @classmethod
    def of(cls, document: dict[str, Any], prefix: str) -> Document:
        """*prefix* is the path of the vendor's server, which the document's paths leave out."""
        return cls(document["paths"], _judge(document, sent=True), _judge(document, sent=False), prefix)

    def findings(self, exchange: Exchange) -> Iterator[str]:
        """One line for each thing that is not described: direction, operation, place, and what is wrong there."""
        call, reply = exchange.call, exchange.reply
        found = self._operation(call)
        if found is None:
            yield f"sent {call.method} {call.path.removeprefix(self.prefix)} undescribed"
            return
        template, operation, values = found
        name = f"{call.method} {template}"
        at = f"/paths/{_escaped(template)}/{call.method.lower()}"
        yield from (f"sent {name} {problem}" for problem in self._parameters(at, operation, call, values))
        yield from (f"sent {name} {problem}" for problem in self._request_body(at, operation, call))
        status = str(reply.status) if str(reply.status) in operation["responses"] else "default"
        if status not in operation["responses"]:
            yield f"answered {name} status {reply.status} undescribed"
            return
        yield from (
            f"answered {name} {reply.status} {problem}"
            for problem in self._body(
                self.answered, f"{at}/responses/{status}", operation["responses"][status], reply.body
            )
        )

    def operation(self, call: Call) -> str | None:
        """Method and path template of a call; None where there is no such operation."""
        found = self._operation(call)
        return None if found is None else f"{call.method} {found[0]}"

    def _operation(self, call: Call) -> tuple[str, Any, dict[str, str]] | None:
        path = call.path.removeprefix(self.prefix)
        for template in sorted(self.paths, key=lambda template: template.count("{")):
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
            match = re.fullmatch(pattern, path)
            if match and call.method.lower() in self.paths[template]:
                return template, self.paths[template][call.method.lower()], match.groupdict()
        return None

    def _parameters(self, at: str, operation: Any, call: Call, values: Mapping[str, str]) -> Iterator[str]:
        given = {"query": dict(call.query), "path": {name: unquote(value) for name, value in values.items()}}
        known: dict[str, set[str]] = {"query": set(), "path": set(), "header": set()}
        for place, parameter in enumerate(operation.get("parameters", ())):
            name, where = parameter["name"], parameter["in"]
            known[where].add(name)
            if name not in given.get(where, {}):
                if parameter.get("required"):
                    yield f"{where} {name} missing"
                continue
            value = _typed(given[where][name], parameter["schema"].get("type"))
            yield from (
                f"{where} {name} {problem.split()[-1]}"
                for problem in self.sent(f"{at}/parameters/{place}/schema", value)
            )
        yield from (f"query {name} undescribed" for name in given["query"] if name not in known["query"])

    def _request_body(self, at: str, operation: Any, call: Call) -> Iterator[str]:
        described = operation.get("requestBody")
        if described is None:
            yield from ["body undescribed"] if call.body else []
        elif not call.body:
            yield from ["body missing"] if described.get("required") else []
        else:
            yield from self._body(self.sent, f"{at}/requestBody", described, call.body)

    @staticmethod
    def _body(judge: Any, at: str, described: Any, body: bytes) -> Iterator[str]:
        kinds = described.get("content", {})
        if _JSON in kinds:
            value = json.loads(body) if body else None  # floats, which the formats want: shapes are judged, not sums
            yield from judge(f"{at}/content/{_escaped(_JSON)}/schema", value)
        elif body and not kinds:
            yield "body undescribed"


def _judge(document: dict[str, Any], *, sent: bool) -> Any:
    older = document["openapi"].startswith("3.0")
    # OpenAPI 3.1 is JSON Schema 2020-12; 3.0 is a dialect of draft 4 with its own ``nullable``.
    specification, validator = (DRAFT4, OAS30Validator) if older else (DRAFT202012, OAS31Validator)
    prepared = _prepared(document, document, sent=sent)
    registry = Registry().with_resource("urn:vendor", Resource(contents=prepared, specification=specification))

    def judge(pointer: str, value: Any) -> Iterator[str]:
        schema = {"$ref": f"urn:vendor#{pointer}"}
        found = validator(schema, registry=registry, format_checker=validator.FORMAT_CHECKER).iter_errors(value)
        yield from sorted({line for error in found for line in _lines(error)})

    return judge


def _prepared(document: Any, node: Any, *, sent: bool) -> Any:
    """Objects closed, ``allOf`` put together (closed parts exclude each other), read-only left out of requests."""
    if isinstance(node, list):
        return [_prepared(document, one, sent=sent) for one in node]
    if not isinstance(node, dict):
        return node
    if "allOf" in node:
        return _prepared(document, _merged(document, node), sent=sent)
    done = {name: _prepared(document, value, sent=sent) for name, value in node.items() if name != "example"}
    if isinstance(node.get("properties"), dict) and "type" in node:
        hidden = {
            name for name, one in node["properties"].items() if sent and isinstance(one, dict) and one.get("readOnly")
        }
        done["properties"] = {name: one for name, one in done["properties"].items() if name not in hidden}
        done.setdefault("additionalProperties", False)
        if "required" in node:
            done["required"] = [name for name in node["required"] if name not in hidden]
            if not done["required"]:
                del done["required"]  # draft 4 has no empty lists of names
    return done


def _merged(document: Any, node: Any) -> dict[str, Any]:
    if "$ref" in node:
        return _merged(document, document["components"]["schemas"][node["$ref"].rpartition("/")[2]])
    if "allOf" not in node:
        return dict(node)
    parts = [_merged(document, part) for part in node["allOf"]]
    parts.append({name: value for name, value in node.items() if name != "allOf"})
    return {
        "type": "object",
        "properties": {name: one for part in parts for name, one in part.get("properties", {}).items()},
        "required": [name for part in parts for name in part.get("required", ())],
    }


def _lines(error: Any) -> Iterator[str]:
    """Place and keyword; of alternatives the one that fits best, and each undescribed property by its name."""
    if error.validator in {"oneOf", "anyOf"} and error.context:
        branches: dict[Any, list[str]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).extend(_lines(inner))
        yield from min(branches.values(), key=len)
        return
    place = "".join(f".{'#' if isinstance(part, int) else part}" for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        yield from (f"${place}.{name} undescribed" for name in error.instance if name not in known)
    elif error.validator == "required":
        names = error.validator_value if isinstance(error.validator_value, list) else []
        yield from (f"${place}.{name} missing" for name in names if name not in error.instance)
    else:
        yield f"${place} {error.validator}"


def _typed(text: str, kind: Any) -> Any:
    """A parameter's text as the value it stands for."""
    kinds = [kind] if isinstance(kind, str) else kind or ["string"]
    if "boolean" in kinds and text in {"true", "false"}:
        return text == "true"
    if {"integer", "number"} & set(kinds) and re.fullmatch(r"-?\d+", text):
        return int(text)
    return text


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
