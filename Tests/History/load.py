"""The load of a run: verifications on every node by every door, and changes of keys and workspaces on any node."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from calls import check
from connections import Answer, Lost, request
from history import ALLOWED, REFUSED, Log, now
from installation import Failed, Node

# A paused node answers what it finds when it goes on, so a verification waits longer than the longest pause.
PATIENCE = 20.0
# A change waits for silent nodes, and is sent again elsewhere if its own node has gone silent.
CHANGE_PATIENCE = 8.0
BATCH = 8


@dataclass(eq=False)
class Token:
    """A token of the load."""

    number: int
    text: str
    key: str
    workspace: str
    made_at: int
    is_admin: bool = False
    # The nodes that have accepted the token.
    warm: set[int] = field(default_factory=set)


@dataclass
class Settings:
    """The size of the load."""

    # Verifications per second, over all nodes. A slow machine does fewer.
    rate: float = 600
    mutators: int = 8
    # The tokens that are verified and not changed yet.
    stock: int = 120
    workspaces: int = 3
    # The share of each kind of change.
    kinds: tuple[tuple[str, int], ...] = (
        ("revoke", 50),
        ("disable", 14),
        ("rotate", 14),
        ("delete", 12),
        ("admin", 10),
    )


Door = Callable[[Node, list[Token]], Awaitable[None]]


class Load:
    """The tasks that verify and change."""

    def __init__(self, nodes: list[Node], admin: str, log: Log, settings: Settings, chance: random.Random) -> None:
        self.nodes = nodes
        self.admin = admin
        self.log = log
        self.settings = settings
        self.chance = chance
        self.stock: list[Token] = []
        self.dead: deque[Token] = deque(maxlen=400)
        self.workspaces: list[str] = []
        # The tokens of each workspace that is suspended and resumed.
        self.switched: dict[str, list[Token]] = {}
        self.count = 0
        # The answered changes, by kind.
        self.completed: Counter[str] = Counter()
        self.is_ending = False
        self.tasks: set[asyncio.Task[None]] = set()
        # The ways to ask about tokens.
        self.doors: dict[str, Door] = {
            "verify": self.verify,
            "batch": self.batch,
            "authorize": self.authorize,
            "grpc": self.call_check,
        }

    # MARK: Verifications

    async def _ask(self, door: str, node: Node, tokens: list[Token], data: bytes) -> tuple[int, Answer | None]:
        connections = {"authorize": node.gateway, "grpc": node.grpc}.get(door, node.api)
        begin = now()
        try:
            return begin, await connections.send(data, PATIENCE)
        except Lost:
            end = now()
            for token in tokens:
                self.log.verification(door, node.number, token.number, begin, end, "lost")
            return begin, None

    def _note(self, door: str, node: Node, token: Token, begin: int, end: int, verdict: str) -> None:
        self.log.verification(door, node.number, token.number, begin, end, verdict)
        if verdict == "valid":
            token.warm.add(node.number)

    async def verify(self, node: Node, tokens: list[Token]) -> None:
        """Asks by `POST /v1/verify`."""
        token = tokens[0]
        data = request("POST", "/v1/verify", self.admin, {"token": token.text})
        begin, answer = await self._ask("verify", node, [token], data)
        if answer:
            self._note("verify", node, token, begin, now(), verdict_of(answer.status, answer.json().get("code")))

    async def batch(self, node: Node, tokens: list[Token]) -> None:
        """Asks by `POST /v1/verify/batch`."""
        data = request(
            "POST", "/v1/verify/batch", self.admin, {"requests": [{"token": token.text} for token in tokens]}
        )
        begin, answer = await self._ask("batch", node, tokens, data)
        if not answer:
            return
        end = now()
        verdicts = answer.json().get("verdicts") or [{}] * len(tokens)
        for token, verdict in zip(tokens, verdicts, strict=True):
            code = verdict.get("code")
            # In a batch the code of a suspended workspace is also that of one that is unavailable.
            status = 503 if code == "workspace_unavailable" else answer.status
            self._note("batch", node, token, begin, end, verdict_of(status, code))

    async def authorize(self, node: Node, tokens: list[Token]) -> None:
        """Asks as a gateway."""
        data = request("GET", "/v1/authorize/organizations/default/orders", X_API_Key=tokens[0].text)
        await self._ask_as_gateway("authorize", node, tokens[0], data)

    async def call_check(self, node: Node, tokens: list[Token]) -> None:
        """Asks as Envoy does over gRPC."""
        await self._ask_as_gateway("grpc", node, tokens[0], check(tokens[0].text, organization="default"))

    async def _ask_as_gateway(self, door: str, node: Node, token: Token, data: bytes) -> None:
        begin, answer = await self._ask(door, node, [token], data)
        if answer:
            code = "valid" if answer.status == 200 else answer.header(b"x-mortise-reason")
            self._note(door, node, token, begin, now(), verdict_of(answer.status, code))

    async def act(self, node: Node, token: Token) -> None:
        """Uses an admin key as the credential of a request."""
        data = request("POST", "/v1/verify", token.text, {"token": "x"})
        begin, answer = await self._ask("credential", node, [token], data)
        if answer:
            verdict = {200: "valid", 401: "unauthorized"}.get(answer.status, f"status {answer.status}")
            self._note("credential", node, token, begin, now(), verdict)

    async def ask(self, node: Node, token: Token, door: str | None = None, also: list[Token] | None = None) -> None:
        """Asks about a token by a door, or by any."""
        if token.is_admin:
            return await self.act(node, token)
        name = door or self.chance.choice(list(self.doors))
        await self.doors[name](node, [token, *(also or [])][:BATCH])

    def start(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Starts a task that the end of the run waits for."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def verify_forever(self, node: Node) -> None:
        """Verifies living and dead tokens on a node, at the rate of the settings."""
        pause = len(self.nodes) * 4 / self.settings.rate
        while not self.is_ending:
            await asyncio.sleep(self.chance.uniform(0, 2 * pause))
            if not self.stock:
                continue
            living = self.stock + [token for tokens in self.switched.values() for token in tokens]
            token = self.chance.choice(list(self.dead) if self.dead and self.chance.random() < 0.3 else living)
            also = self.chance.choices(self.stock, k=3)
            await self.ask(node, token, also=[other for other in also if not other.is_admin])

    # MARK: Requests of management

    def any_node(self) -> Node:
        """A node that is up, if there is one."""
        up = [node for node in self.nodes if node.is_up]
        return self.chance.choice(up or self.nodes)

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Sends a request to any node until it is answered with 2xx."""
        data = request(method, path, self.admin, body, **headers)
        answer = None
        for _ in range(400):
            try:
                answer = await self.any_node().api.send(data, CHANGE_PATIENCE)
                if answer.status < 300:
                    return answer
                if answer.status < 500 and answer.status != 409:
                    break
            except Lost:
                pass
            await asyncio.sleep(0.1)
        raise Failed(f"{method} {path} was not answered: {answer}")

    async def create(self, workspace: str, *, is_admin: bool = False) -> Token:
        """Creates a key."""
        self.count += 1
        number = self.count
        key = f"create-{uuid.uuid4()}"
        if is_admin:
            path, body = (
                "/v1/organizations/default/admin-keys",
                {"name": f"admin {uuid.uuid4()}", "permissions": ["keys:verify"]},
            )
        else:
            path, body = (
                f"/v1/workspaces/{workspace}/service-keys",
                {"name": f"key {number} {uuid.uuid4()}", "scopes": ["read:orders"]},
            )
        made = (await self.call("POST", path, body, Idempotency_Key=key)).json()
        return self._token(number, made["token"], made["key"]["id"], workspace, is_admin)

    def _token(self, number: int, text: str, key: str, workspace: str, is_admin: bool = False) -> Token:
        self.log.token(number, key, workspace)
        return Token(number, text, key, workspace, now(), is_admin)

    async def change(
        self, kind: str, effect: str, token: Token | None, workspace: str, method: str, path: str, body: object = None
    ) -> tuple[Answer | None, bool]:
        """Sends a change to any node until it is answered, and notes each attempt.

        Returns:
            The answer, or `None` if an attempt without an answer has deleted the key. True if every outcome was certain.
        """
        data = request(method, path, self.admin, body, Idempotency_Key=f"{kind}-{uuid.uuid4()}")
        is_certain = True
        for attempt in range(1, 400):
            node = self.any_node()
            sent = now()
            answer = None
            try:
                answer = await node.api.send(data, CHANGE_PATIENCE)
                outcome = "done" if answer.status < 300 else "unknown" if answer.status >= 500 else "failed"
            except Lost:
                outcome = "unknown"
            # A request that is still being worked on, or a key that an earlier attempt has deleted.
            is_refused = outcome == "failed" and attempt == 1
            number = token.number if token else None
            self.log.change(kind, effect, number, workspace, node.number, sent, now(), outcome, attempt)
            if outcome == "done":
                self.completed[kind] += 1
                return answer, is_certain
            if answer is not None and answer.status == 404 and attempt > 1:
                return None, False
            if is_refused and answer is not None and answer.status != 409:
                raise Failed(f"{kind} was refused: {answer}")
            is_certain = False
            await asyncio.sleep(self.chance.uniform(0.02, 0.2))
        raise Failed(f"{kind} was not answered")

    # MARK: Changes

    async def keep_stock(self) -> None:
        """Creates keys, so that there are always enough to change."""
        while not self.is_ending:
            if len(self.stock) >= self.settings.stock:
                await asyncio.sleep(0.05)
                continue
            kind_share = dict(self.settings.kinds)["admin"] / sum(share for _, share in self.settings.kinds)
            is_admin = self.chance.random() < kind_share
            workspace = "root" if is_admin else self.chance.choice(self.workspaces)
            self.stock.append(await self.create(workspace, is_admin=is_admin))

    async def mutate_forever(self) -> None:
        """Changes one key after the other."""
        while not self.is_ending:
            old = [token for token in self.stock if now() - token.made_at > 300_000_000]
            if not old:
                await asyncio.sleep(0.05)
                continue
            token = self.chance.choice(old[: max(1, len(old) // 2)])
            self.stock.remove(token)
            await self._change_one(token)

    async def _change_one(self, token: Token) -> None:
        await self._warm([token])
        family = "admin-keys" if token.is_admin else "service-keys"
        home = "/v1/organizations/default" if token.is_admin else f"/v1/workspaces/{token.workspace}"
        path = f"{home}/{family}/{token.key}"
        kinds = [(kind, share) for kind, share in self.settings.kinds if kind != "admin"]
        kind = self.chance.choices([kind for kind, _ in kinds], [share for _, share in kinds])[0]
        if token.is_admin and kind in ("rotate",):
            kind = "revoke"
        name = f"admin {kind}" if token.is_admin else kind

        async def refuse(name: str, method: str, path: str, body: object = None) -> tuple[Answer | None, bool]:
            return await self.change(name, REFUSED, token, token.workspace, method, path, body)

        # A verification during the change, or soon after it, would replace what a node has in memory. Some changes are
        # made in silence, so that the first question is a late one.
        is_quiet = self.chance.random() < 0.4
        with Hammer(self, [] if is_quiet else [token]):
            if kind == "delete":
                answer, _ = await refuse(name, "DELETE", path)
            elif kind == "rotate":
                answer, _ = await refuse(name, "POST", f"{path}/rotate", {"grace_period_seconds": 0})
            else:
                answer, is_certain = await refuse(name, "POST", f"{path}/{kind}")
        if is_quiet:
            self.probe_late(token)
        else:
            self.dead.append(token)
            self.probe([token])
        if kind == "rotate" and answer:
            self.count += 1
            self.stock.append(self._token(self.count, answer.json()["token"], token.key, token.workspace))
        if kind == "disable" and is_certain and not token.is_admin:
            await asyncio.sleep(self.chance.uniform(0, 0.2))
            _, is_certain = await self.change("enable", ALLOWED, token, token.workspace, "POST", f"{path}/enable")
            self.probe([token])
            await self._warm([token])
            with Hammer(self, [token]):
                await refuse("revoke", "POST", f"{path}/revoke")
            self.probe([token])

    async def switch_forever(self, workspace: str) -> None:
        """Suspends and resumes a workspace."""
        tokens = self.switched[workspace]
        while not self.is_ending:
            await self._warm(tokens)
            with Hammer(self, tokens):
                await self.change("suspend", REFUSED, None, workspace, "POST", f"/v1/workspaces/{workspace}/suspend")
            self.probe(tokens)
            await asyncio.sleep(self.chance.uniform(0.2, 1.5))
            resumed = await self.change(
                "resume", ALLOWED, None, workspace, "POST", f"/v1/workspaces/{workspace}/resume"
            )
            self.probe(tokens)
            # An attempt without an answer can still be carried out, but not later than its deadlines allow.
            await asyncio.sleep(self.chance.uniform(1, 3) if resumed[1] else 15)

    async def _warm(self, tokens: list[Token]) -> None:
        """Makes the nodes keep the tokens in memory, and waits for those that answer soon."""
        asked = [
            self.start(self.ask(node, token))
            for node in self.nodes
            for token in tokens
            if node.is_up and node.number not in token.warm
        ]
        if asked:
            await asyncio.wait(asked, timeout=0.3)

    def probe(self, tokens: list[Token]) -> None:
        """Asks about tokens whose change was just answered: at once on every node by every door, and later again."""
        for node in self.nodes:
            for token in tokens:
                for door in ["verify"] if token.is_admin else self.doors:
                    self.start(self.ask(node, token, door))
                for pause in (0.05, 0.5, 3, 9):
                    self.start(self._ask_later(pause, node, token))

    def probe_late(self, token: Token) -> None:
        """Asks about a token once on each node, some time after its change was answered."""
        for node in self.nodes:
            self.start(self._ask_later(self.chance.uniform(0, 9), node, token))

    async def _ask_later(self, pause: float, node: Node, token: Token) -> None:
        end = now() + int(pause * 1e9)
        while now() < end and not self.is_ending:
            await asyncio.sleep(min(pause, 0.25))
        await self.ask(node, token)

    # MARK: The run

    async def prepare(self) -> None:
        """Creates workspaces and keys."""

        async def workspace(name: str) -> str:
            path = "/v1/organizations/default/workspaces"
            made = await self.call("POST", path, {"name": f"{name} {uuid.uuid4()}"}, Idempotency_Key=str(uuid.uuid4()))
            return str(made.json()["id"])

        for number in range(self.settings.workspaces):
            self.workspaces.append(await workspace(f"plain {number}"))
        for number in range(2):
            switched = await workspace(f"switched {number}")
            self.switched[switched] = [await self.create(switched) for _ in range(2)]

    async def run(
        self, seconds: float, faults: Awaitable[None] | None = None, until: asyncio.Future[None] | None = None
    ) -> None:
        """Runs the load for a time, or until a task is done, with faults beside it."""
        work: list[Awaitable[None]] = [self.keep_stock() for _ in range(3)]
        work += [self.verify_forever(node) for node in self.nodes for _ in range(4)]
        work += [self.mutate_forever() for _ in range(self.settings.mutators)]
        work += [self.switch_forever(workspace) for workspace in self.switched]
        work += [self._sample_forever()]
        if faults:
            work += [faults]
        main = [asyncio.ensure_future(one) for one in work]
        try:
            await self._until_end(main, seconds, until)
        finally:
            self.is_ending = True
            # A verification that waits for a node that was paused is the test, so it is not cancelled.
            await asyncio.wait(main, timeout=60)
            for task in main:
                task.cancel()
            if self.tasks:
                await asyncio.wait(self.tasks, timeout=PATIENCE + 5)
        for task in main:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    async def _until_end(
        self, main: Sequence[asyncio.Future[None]], seconds: float, until: asyncio.Future[None] | None
    ) -> None:
        end = now() + int(seconds * 1e9)
        # On a busy machine the run goes on until it has shown something.
        latest = end + 300_000_000_000
        while not (until and until.done()) and (now() < end or (now() < latest and not self.has_shown_something)):
            await asyncio.wait(main, timeout=0.2, return_when=asyncio.FIRST_EXCEPTION)
            for task in main:
                if task.done() and (error := task.exception()):
                    raise error

    @property
    def has_shown_something(self) -> bool:
        """True if enough changes of each kind of key were answered."""
        admin = sum(count for kind, count in self.completed.items() if kind.startswith("admin"))
        return admin >= 2 and self.completed.total() >= 20

    async def _sample_forever(self) -> None:
        while not self.is_ending:
            await asyncio.sleep(0.5)
            for node in self.nodes:
                if node.is_up and node.process and node.process.returncode is not None:
                    raise Failed(f"node {node.number} has ended by itself, with {node.process.returncode}")
            await asyncio.gather(*[node.sample() for node in self.nodes if node.is_up])


class Hammer:
    """Verifies tokens on every node without a pause while they change, so that reads are under way at every moment."""

    def __init__(self, load: Load, tokens: list[Token]) -> None:
        self.load = load
        self.tokens = tokens
        self.is_ending = False

    def __enter__(self) -> Hammer:
        for node in self.load.nodes if self.tokens else []:
            self.load.start(self._strike(node))
        return self

    def __exit__(self, *_: object) -> None:
        self.is_ending = True

    async def _strike(self, node: Node) -> None:
        while not self.is_ending and not self.load.is_ending:
            await self.load.ask(node, self.load.chance.choice(self.tokens))
            await asyncio.sleep(self.load.chance.uniform(0, 0.04))


def verdict_of(status: int, code: object) -> str:
    """The name of a verdict in the history."""
    if code == "workspace_unavailable":
        return "suspended" if status in (200, 403) else "unavailable"
    if status == 503:
        return "unavailable"
    return str(code) if code else f"status {status}"
