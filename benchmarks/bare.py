"""What somebody would write without this library: httpx, keep-alive, ``json``, the same URLs, parameters and headers.

It believes every answer: no types, no check of amounts, no limit on size or time, no second attempt.
"""

from __future__ import annotations

import json
from typing import Any

import httpx

Where = dict[str, Any]


def headers(where: Where) -> dict[str, str]:
    settings = where["settings"]
    signed = {
        "lexoffice": lambda: {"authorization": f"Bearer {settings['api_key']}"},
        "billomat": lambda: {"x-billomatapikey": settings["api_key"]},
        "informer": lambda: {"apikey": settings["api_key"], "securitycode": settings["security_code"]},
        "visma": lambda: {"authorization": f"Bearer {where['token']['access']}"},
    }[where["vendor"]]()
    return {"accept": "application/json", "accept-encoding": "gzip", **signed}


def page(where: Where, number: int) -> tuple[str, dict[str, str]]:
    """URL and parameters of a page of customers, counted from 0."""
    path, params = {
        "lexoffice": ("/v1/contacts", {"page": str(number), "size": "250", "customer": "true"}),
        "billomat": ("/api/clients", {"order_by": "id ASC", "per_page": "1000", "page": str(number + 1)}),
        "informer": ("/v2/relations", {"records": "100", "page": str(number + 1)}),
        "visma": ("/v2/customers", {"$orderby": "CustomerNumber", "$page": str(number + 1), "$pagesize": "500"}),
    }[where["vendor"]]
    return where["url"] + path, params


def read(where: Where, body: bytes, number: int) -> tuple[int, bool]:
    """How many customers a page holds, and whether it is the last."""
    content = json.loads(body)
    match where["vendor"]:
        case "lexoffice":
            return len(content["content"]), content["last"]
        case "billomat":
            clients = content["clients"]
            return len(clients["client"]), (number + 1) * 1000 >= int(clients["@total"])
        case "informer":
            return len(content["relations"]), number + 1 >= content["pagination"]["pages"]
        case _:
            return len(content["Data"]), number + 1 >= content["Meta"]["TotalNumberOfPages"]


def listing(client: httpx.Client, where: Where) -> int:
    count, number, last = 0, 0, False
    while not last:
        url, params = page(where, number)
        found, last = read(where, client.get(url, params=params, headers=headers(where)).content, number)
        count, number = count + found, number + 1
    return count


async def listing_async(client: httpx.AsyncClient, where: Where) -> int:
    count, number, last = 0, 0, False
    while not last:
        url, params = page(where, number)
        answer = await client.get(url, params=params, headers=headers(where))
        found, last = read(where, answer.content, number)
        count, number = count + found, number + 1
    return count


def post(client: httpx.Client, where: Where, path: str, body: bytes) -> None:
    sent = {**headers(where), "content-type": "application/json"}
    answer = client.post(where["url"] + path, content=body, headers=sent)
    answer.raise_for_status()
    json.loads(answer.content)
