"""The control endpoint under /control/: what tests and the demo set and read. JSON, and no part of the API."""

import contextlib
from collections.abc import Callable
from typing import Any

from upstream.money import text_from_micros
from upstream.sandbox.api import PARAMETERS
from upstream.sandbox.faults import FAULTS
from upstream.sandbox.orders import (
    CANCELED,
    COMPLETED,
    IN_PROGRESS,
    PARTIAL,
    NumberOrder,
    Order,
    ServiceOrder,
)
from upstream.sandbox.sample_services import REMOVED
from upstream.sandbox.world import World, micros_from_text, partial_charge

ORDER_FIELDS = frozenset({"status", "remains", "charge", "start_count", "accounts"})
NUMBER_FIELDS = frozenset({"status", "phone", "country", "code", "sms_content", "charge", "expires_at"})
NUMBER_ENDINGS = ("cancel", "expire", "refund")


class NotThere(Exception):
    """No such order, service, project or address."""


class Gate:
    """What control needs of the server: to stop listening for a while, and to listen again."""

    def refuse(self, seconds: float | None) -> None:
        """Stop listening; None means until `listen`."""
        raise NotImplementedError

    def listen(self) -> None:
        """Listen again, if nobody listens."""
        raise NotImplementedError


def control(world: World, gate: Gate, method: str, path: str, body: dict[str, Any]) -> Any:
    """Answer one control call; `path` is what follows /control/.

    Raises NotThere for an unknown address or id, ValueError for what cannot be set.
    """
    name, _, rest = path.strip("/").partition("/")
    handler = HANDLERS.get((method, name))
    if handler is None:
        raise NotThere(f"{method} /control/{path}")
    if name == "faults":  # refusing connections waits for open ones to end, so not under the world's lock
        return _faults(world, gate, method, body)
    with world.lock:
        if name == "reset":  # makes its own transaction
            gate.listen()
            return handler(world, rest, body)
        with world.store.transaction():
            return handler(world, rest, body)


# --- The whole -----------------------------------------------------------------------------------------------------
def _summary(world: World, rest: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "services": world.store.get("services"),
        "seed": world.seed,
        "balance": text_from_micros(world.store.balance_micros()),
        "next_order": world.store.get("next_id"),
        "settings": _settings(world, rest, body),
        "faults": world.faults.listed(),
        "struck": dict(world.faults.struck),
    }


def _reset(world: World, rest: str, body: dict[str, Any]) -> dict[str, Any]:
    _only(body, frozenset({"services", "seed", "balance", "speed"}))
    world.reset(**{name: body.get(name) for name in ("services", "seed", "balance", "speed")})
    return _summary(world, rest, body)


def _settings(world: World, rest: str, body: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(world.settings, name) for name in world.settings.__struct_fields__}


def _change_settings(world: World, rest: str, body: dict[str, Any]) -> dict[str, Any]:
    world.settle()
    world.change_settings(body)
    return _settings(world, rest, body)


def _faults(world: World, gate: Gate, method: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    if method == "DELETE":
        world.faults.clear()
        gate.listen()
    elif method == "POST":
        name = str(body.pop("name", ""))
        if body.get("action") not in (None, *PARAMETERS):
            raise ValueError(f"no such action: {body['action']}")
        if name == "refuse_connections" and body.get("rate") is None:
            # There is no next call to wait for: from now on nobody listens.
            _only(body, FAULTS[name] | {"action", "times", "rate"})
            world.faults.struck[name] += 1
            gate.refuse(body.get("seconds"))
        else:
            world.faults.add(name, **body)
    return world.faults.listed()


def _requests(world: World, rest: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    return list(world.requests)


def _books(world: World, rest: str, body: dict[str, Any]) -> dict[str, Any]:
    return world.books()


def _set_balance(world: World, rest: str, body: dict[str, Any]) -> dict[str, Any]:
    world.set_balance(body["balance"])
    return world.books()


# --- Orders --------------------------------------------------------------------------------------------------------
def _orders(world: World, rest: str, body: dict[str, Any]) -> Any:
    world.settle()
    if rest:
        return world.view(_order(world, rest))
    return [world.view(order) for order in world.store.orders_after(0)]


def _set_order(world: World, rest: str, body: dict[str, Any]) -> dict[str, Any]:
    world.settle()
    order_id, _, verb = rest.partition("/")
    order = _order(world, order_id)
    if isinstance(order, ServiceOrder):
        _set_service_order(world, order, body)
    elif verb == "code":
        world.deliver(order, str(body["code"]), str(body["text"]))
    else:
        _set_number(world, order, body)
    world.store.save_order(order)
    return world.view(order)


def _set_service_order(world: World, order: ServiceOrder, fields: dict[str, Any]) -> None:
    """Set what a status call shows; a status that is set stays, and moves the money it stands for."""
    _only(fields, ORDER_FIELDS)
    if "status" in fields:
        order.status, order.due = fields["status"], None
        order.shown.pop("remains", None)
        order.shown.pop("charge", None)
        if "remains" not in fields and fields["status"] in (PARTIAL, IN_PROGRESS):
            order.shown["remains"] = order.quantity // 2
    order.shown.update((name, value) for name, value in fields.items() if name not in ("status", "charge"))
    if "charge" in fields:
        _show_charge(world, order, fields["charge"])
    elif order.status.lower() in (CANCELED.lower(), "cancelled", "refunded"):
        world.charge(order, 0)
    elif order.status == PARTIAL:
        remains = order.shown.get("remains")
        if isinstance(remains, int):
            world.charge(order, partial_charge(order, max(0, min(order.quantity, remains))))
    elif order.status == COMPLETED and not order.charge_micros:
        world.charge(order, order.price_micros)


def _set_number(world: World, order: NumberOrder, fields: dict[str, Any]) -> None:
    _only(fields, NUMBER_FIELDS)
    if "status" in fields:
        order.status, order.due = fields["status"], None
        if "charge" not in fields and any(word in order.status.lower() for word in NUMBER_ENDINGS):
            world.charge(order, 0)
    order.phone = fields.get("phone", order.phone)
    order.country = fields.get("country", order.country)
    order.code = fields.get("code", order.code)
    order.sms_content = fields.get("sms_content", order.sms_content)
    order.expires = fields.get("expires_at", order.expires)
    if "charge" in fields:
        _show_charge(world, order, fields["charge"])


def _show_charge(world: World, order: Order, charge: Any) -> None:
    """Charge this much from now on and show it as it was given; what is not money (None, "free") is only shown."""
    with contextlib.suppress(ValueError):
        world.charge(order, micros_from_text(charge))
    order.shown["charge"] = charge


def _order(world: World, order_id: str) -> Order:
    order = world.store.order(int(order_id)) if order_id.isdigit() else None
    if order is None:
        raise NotThere(f"order {order_id}")
    return order


# --- What is on sale -----------------------------------------------------------------------------------------------
def _service(world: World, rest: str, body: dict[str, Any]) -> dict[str, Any]:
    row = world.catalog.service(_service_id(rest))
    if row is None:
        raise NotThere(f"service {rest}")
    return row


def _set_service(world: World, rest: str, body: dict[str, Any]) -> dict[str, Any]:
    if not rest:
        return _service(world, str(world.catalog.add_service(body)), {})
    service_id, _, verb = rest.partition("/")
    fields = {REMOVED: False} if verb == "restore" else body
    _edit_service(world, service_id, fields)
    return _service(world, service_id, {})


def _remove_service(world: World, rest: str, body: dict[str, Any]) -> None:
    _edit_service(world, rest, {REMOVED: True})


def _edit_service(world: World, service_id: str, fields: dict[str, Any]) -> None:
    try:
        world.catalog.edit_service(_service_id(service_id), fields)
    except KeyError:
        raise NotThere(f"service {service_id}") from None


def _service_id(text: str) -> int:
    if not text.isdigit():
        raise NotThere(f"service {text}")
    return int(text)


def _set_project(world: World, rest: str, body: dict[str, Any]) -> None:
    try:
        world.catalog.edit_project(rest, body)
    except KeyError:
        raise NotThere(f"project {rest}") from None


def _only(fields: dict[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"no such field: {', '.join(unknown)}")


def _elsewhere(world: World, rest: str, body: dict[str, Any]) -> None:
    raise AssertionError("faults are answered before the lock is taken")


HANDLERS: dict[tuple[str, str], Callable[[World, str, dict[str, Any]], Any]] = {
    ("GET", ""): _summary,
    ("POST", "reset"): _reset,
    ("GET", "settings"): _settings,
    ("POST", "settings"): _change_settings,
    ("GET", "faults"): _elsewhere,
    ("POST", "faults"): _elsewhere,
    ("DELETE", "faults"): _elsewhere,
    ("GET", "requests"): _requests,
    ("GET", "books"): _books,
    ("POST", "balance"): _set_balance,
    ("GET", "orders"): _orders,
    ("POST", "orders"): _set_order,
    ("GET", "services"): _service,
    ("POST", "services"): _set_service,
    ("DELETE", "services"): _remove_service,
    ("POST", "projects"): _set_project,
}
