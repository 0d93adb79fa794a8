import Glibc
import HTTPTestSupport
import JSON
import Keys
import NIOCore
import Postgres
import Synchronization
import Telemetry
import TestSupport
import Testing

/// `mortise serve` on a bad day: what its clients see, what its log says, and that it goes on by itself.
@Suite(.hangLimit) struct ServerFaultTests {
    private func makeRevoked(_ installation: ProcessInstallation, port: Int) async throws -> String {
        let key = try await installation.makeKey("revoked", port: port)
        let answer = try await installation.call("POST", "\(key.path)/revoke", [:], port: port)
        #expect(answer.status == 200, "\(answer)")
        return key.token
    }

    private func verify(_ token: String, _ installation: ProcessInstallation, port: Int) async throws
        -> ProcessInstallation.Answer
    {
        try await installation.call("POST", "/v1/verify", ["token": .string(token)], port: port)
    }

    private func end(_ program: RunningProgram) async throws {
        program.terminate()
        try await program.waitForEnd()
    }

    // MARK: PostgreSQL stands still

    // A machine that hangs accepts connections, and answers none.
    @Test func `while PostgreSQL stands still every request is refused in time, and afterwards all goes on`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            let code =
                try await RunningProgram.with(
                    ["serve"],
                    installation.serveVariables(),
                    in: installation.folder
                ) { program in
                    let port = try await program.port()
                    let key = try await installation.makeKey("good", port: port)
                    let revoked = try await makeRevoked(installation, port: port)
                    #expect(try await installation.verdict(key.token, port: port) == "valid")
                    try await installation.server.freezing {
                        // A key in memory goes on until the node's lease ends.
                        try await eventually("verifications are refused") {
                            try await verify(key.token, installation, port: port).status == 503
                        }
                        try await withThrowingTaskGroup(of: ProcessInstallation.Answer.self) { group in
                            for token in [key.token, revoked, key.token, revoked, "mks_live_unknown"] {
                                group.addTask { try await verify(token, installation, port: port) }
                            }
                            for path in ["\(key.path)/revoke", "\(key.path)/disable"] {
                                group.addTask { try await installation.call("POST", path, [:], port: port) }
                            }
                            group.addTask { try await installation.call("GET", ProcessInstallation.keys, port: port) }
                            for try await answer in group {
                                #expect(answer.status == 503 && answer.retryAfter != nil, "\(answer)")
                            }
                        }
                        #expect(try await installation.readiness(port: port).status == 503)
                        try await program.expectCause("a PostgreSQL server cannot be used")
                    }
                    try await eventually("keys are verified again") {
                        try await verify(key.token, installation, port: port).body["code"] == "valid"
                    }
                    #expect(try await installation.verdict(revoked, port: port) == "revoked")
                    try await eventually("the server is ready") {
                        try await installation.readiness(port: port).text == "ready\n"
                    }
                    try await eventually("changes are accepted again") {
                        try await installation.call("POST", "\(key.path)/revoke", [:], port: port).status == 200
                    }
                    #expect(try await installation.verdict(key.token, port: port) == "revoked")
                    try await end(program)
                }
                .code
            #expect(code == 0)
        }
    }

    // Each wait for PostgreSQL had a limit of its own, so that a creation was answered after 13 s.
    @Test func `while PostgreSQL stands still creations, lists and changes are answered within their bound`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                let port = try await program.port()
                let key = try await installation.makeKey("good", port: port)
                let list = ProcessInstallation.keys
                // Afterwards the connections are open, and the admin key is in memory.
                #expect(try await installation.call("GET", list, port: port).status == 200)
                let change = try await installation.call("PATCH", key.path, ["description": "first"], port: port)
                #expect(change.status == 200)
                try await installation.server.freezing {
                    let start = ContinuousClock.now
                    try await withThrowingTaskGroup(of: ProcessInstallation.Answer.self) { group in
                        for name in ["a", "b", "c"] {
                            group.addTask {
                                try await installation.call("POST", list, ["name": .string(name)], port: port)
                            }
                        }
                        for path in [list, key.path, "\(key.path)/events"] {
                            group.addTask { try await installation.call("GET", path, port: port) }
                        }
                        group.addTask {
                            try await installation.call("PATCH", key.path, ["description": "second"], port: port)
                        }
                        for action in ["rotate", "deprecate", "disable", "revoke"] {
                            group.addTask {
                                try await installation.call("POST", "\(key.path)/\(action)", [:], port: port)
                            }
                        }
                        for try await answer in group {
                            #expect(answer.status == 503 && answer.retryAfter != nil, "\(answer)")
                        }
                    }
                    // The bound of docs/operations.md.
                    #expect(ContinuousClock.now - start < .seconds(11).onThisMachine)
                }
                try await eventually("changes are accepted again") {
                    try await installation.call("POST", list, ["name": "after"], port: port).status == 201
                }
            }
        }
    }

    // MARK: A log that nobody reads

    /// Reads what is in a pipe without waiting.
    private func read(_ pipe: CInt) -> String {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = Glibc.read(pipe, &buffer, buffer.count), count > 0 { received += buffer[..<count] }
        return String(decoding: received, as: UTF8.self)
    }

    // The fault: `mortise serve 2>&1 | less`, and the person scrolls back. A pipe holds 64 KiB.
    @Test func `a log that nobody reads stops neither the service nor its end, and loses nothing that is read later`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            let path = "\(installation.folder)/pipe"
            try #require(mkfifo(path, 0o600) == 0)
            // Also for writing, so that nobody waits for the other side.
            let pipe = open(path, O_RDWR | O_NONBLOCK)
            try #require(pipe >= 0)
            defer { close(pipe) }
            let variables = installation.serveVariables().merging(["MORTISE_ACCESS_LOG": "all"]) { $1 }
            let code =
                try await RunningProgram.with(
                    ["serve"],
                    variables,
                    in: installation.folder,
                    errors: path
                ) { program in
                    var log = ""
                    try await eventually("the server listens", within: .seconds(60)) {
                        log += read(pipe)
                        return RunningProgram.port(in: log) != nil
                    }
                    let port = try #require(RunningProgram.port(in: log))
                    let key = try await installation.makeKey("good", port: port)
                    let count = 400
                    for _ in 0..<count { #expect(try await installation.verdict(key.token, port: port) == "valid") }
                    try await eventually("every line has come") {
                        log += read(pipe)
                        let lines = log.split(separator: "\n").count { $0.contains(#""operation":"verify""#) }
                        return lines == count
                    }
                    #expect(!log.contains("log lines were lost"))
                    // The pipe is full again when the server ends.
                    for _ in 0..<count { #expect(try await installation.verdict(key.token, port: port) == "valid") }
                    try await end(program)
                }
                .code
            #expect(code == 0)
        }
    }

    // MARK: SIGTERM under load

    // A rolling restart under load: each restart lost the requests that were on their way.
    @Test func `SIGTERM under load from keep-alive connections loses not one request, and no use`() async throws {
        try await ProcessInstallation.with { installation in
            let tally = BusyClients()
            let variables = installation.serveVariables().merging(["MORTISE_SHUTDOWN_GRACE": "600"]) { $1 }
            let code =
                try await RunningProgram.with(["serve"], variables, in: installation.folder) { program in
                    let port = try await program.port()
                    let key = try await installation.makeKey("busy", port: port)
                    let body = #"{"token":"\#(key.token)"}"#
                    let request = """
                        POST /v1/verify HTTP/1.1\r
                        Host: localhost\r
                        Authorization: Bearer \(installation.adminToken)\r
                        Content-Type: application/json\r
                        Content-Length: \(body.utf8.count)\r
                        \r
                        \(body)
                        """
                    let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
                    let clients = (0..<32)
                        .map { _ in
                            Task {
                                // The server closes a connection that has no request for a second.
                                try await tally.run(request, to: address, patience: .milliseconds(500)) {
                                    #expect($0.status == 200)
                                }
                            }
                        }
                    try await eventually("every connection is busy") { tally.busy.load(ordering: .relaxed) == 32 }
                    program.terminate()
                    for client in clients { try await waiting(for: "a connection ends") { try await client.value } }
                    try await program.waitForEnd()
                }
                .code
            #expect(code == 0)
            #expect(tally.lost.load(ordering: .relaxed) == 0)
            let ended = tally.announced.load(ordering: .relaxed) + tally.late.load(ordering: .relaxed)
            #expect(ended == 32)
            let database = try #require(try await installation.workspaceDatabases().first)
            let counted = try await installation.texts(
                "SELECT coalesce(sum(verifications), 0)::text FROM auth.key_usage",
                in: database
            )
            #expect(counted == ["\(tally.answers.load(ordering: .relaxed))"])
        }
    }

    // MARK: No descriptor left

    // The fault: the thread of the listener asks the system again and again, and the log has nothing.
    @Test func `a server without a descriptor says so once, serves its connections, and accepts others when it can`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                let port = try await program.port()
                let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
                try await RawConnection.with(address) { kept in
                    try await kept.get("/readyz")
                    #expect(try await kept.answer()?.status == 200)
                    try await program.limitOpenFiles(to: 10)
                    // The system accepts the connection, and the server cannot.
                    try await RawConnection.with(address) { waiting in
                        try await waiting.get("/healthz")
                        try await program.expectCause("no connection is accepted")
                        // The thread asked without a pause, and used a whole processor.
                        let (begin, before) = (ContinuousClock.now, try program.threadTimes())
                        try await eventually("a second has passed") { ContinuousClock.now - begin > .seconds(1) }
                        let passed = ContinuousClock.now - begin
                        let busy = try program.threadTimes()
                            .filter { thread, time in time - before[thread, default: time] > passed / 4 }
                        #expect(busy.isEmpty)
                        for _ in 0..<5 {
                            try await kept.get("/readyz")
                            #expect(try await kept.answer()?.status == 200)
                        }
                        try await program.expectCause("no connection is accepted")
                        try await program.limitOpenFiles(to: 1000)
                        #expect(try await waiting.answer()?.status == 200)
                    }
                }
                let key = try await installation.makeKey("after", port: port)
                #expect(try await installation.verdict(key.token, port: port) == "valid")
                #expect(!program.hasEnded)
            }
        }
    }

    // MARK: A wrong clock

    // The database's clock decides, so the node refuses nobody and lets nobody in. Its operator must know nevertheless.
    @Test(arguments: [10_800, -10_800])
    func `a node whose clock is three hours off decides as the others, and says once that its clock is off`(
        _ seconds: Int
    )
        async throws
    {
        try await ProcessInstallation.with { installation in
            let clock = try await WrongClock.variables(seconds, in: installation.folder)
            let variables = installation.serveVariables().merging(clock) { $1 }
            let code =
                try await RunningProgram.with(["serve"], variables, in: installation.folder) { program in
                    let port = try await program.port()
                    let soon = Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds() + 1800 * 1_000_000)
                    let living = try await installation.makeKey(
                        "living",
                        ["expires_at": .string(soon.rfc3339)],
                        port: port
                    )
                    let ended = try await installation.makeKey(
                        "ended",
                        ["expires_at": .string(soon.rfc3339)],
                        port: port
                    )
                    let database = try #require(try await installation.workspaceDatabases().first)
                    try await installation.withConnection(database) {
                        try await $0.script(
                            "UPDATE auth.service_keys SET expires_at = now() - interval '30 minutes' WHERE name = 'ended'"
                        )
                    }
                    #expect(try await installation.verdict(living.token, port: port) == "valid")
                    #expect(try await installation.verdict(ended.token, port: port) == "expired")
                    try await program.expectCause("the clock of this machine differs from the database's")
                    try await end(program)
                }
                .code
            #expect(code == 0)
        }
    }
}
