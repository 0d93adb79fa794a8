import LocalPostgres
import Logging
import Postgres
import TestSupport
import Testing

/// Every way in which a connection cannot be made ends with an error that says so, in time.
@Suite(.hangLimit) struct ConnectTests {
    private func failureOfConnecting(_ configuration: PostgresConfiguration) async -> PostgresError? {
        await failure {
            try await PostgresConnection.connect(
                configuration,
                reactor: try TestReactor.shared,
                logger: LogCollector().logger
            )
        }
    }

    @Test(arguments: ["host=/nonexistent", "host=127.0.0.1 port=1", "host=no.such.name.invalid"])
    func `where nothing listens the attempt is refused`(text: String) async throws {
        let error = await failureOfConnecting(try PostgresConfiguration("\(text) user=u dbname=d"))
        #expect(error?.code == .connectFailed)
        #expect(error?.wasSent == false)
    }

    @Test func `a server that accepts and never answers is given up at the deadline`() async throws {
        let listener = try SilentListener()
        var configuration = try listener.configuration()
        configuration.connectDeadline = .milliseconds(300).onThisMachine
        let error = await failureOfConnecting(configuration)
        #expect(error?.code == .connectFailed)
        try await listener.accept()
        try await listener.waitForHangUp()
    }

    // Callers of a pipeline wait for its connection: their own, shorter deadlines count all the same.
    @Test func `who waits for a connection that is being made leaves at his own deadline`() async throws {
        let listener = try SilentListener()
        var configuration = try listener.configuration()
        configuration.connectDeadline = .ample
        let pipeline = PostgresPipeline(
            configuration,
            reactors: [try TestReactor.shared],
            logger: LogCollector().logger
        )
        let error = await failure {
            try await pipeline.query(Statement("SELECT 1"), deadline: .milliseconds(200).onThisMachine)
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.wasSent == false)
        // Only now, because an attempt that had not begun would be given up without a trace.
        try await listener.accept()
        await pipeline.shutdown()
        try await listener.waitForHangUp()
    }

    @Test func `a database or a role that does not exist is told apart from a server that is down`() async throws {
        let configuration = try await TestServer.configuration()
        #expect(
            await failureOfConnecting(configuration.database("no such \"one\""))?.sqlState == .undefinedDatabase
        )
        let role = await failureOfConnecting(configuration.user("no such role", password: "guess"))
        // A server that asks for passwords does not say that the role does not exist.
        #expect(role?.sqlState == .invalidAuthorization || role?.sqlState == .invalidPassword)
        let zero = await failureOfConnecting(configuration.database("post\0gres"))
        #expect(zero?.code == .connectFailed)
    }

    @Test func `a password is checked, and a wrong one is named as the reason without being repeated`() async throws {
        let server = try await PlainServer.start(hostRules: ["local all postgres trust", "local all all scram-sha-256"])
        try await server.use { server in
            let log = LogCollector()
            let superuser = try await PostgresConnection.connect(
                try server.configuration(),
                reactor: try TestReactor.shared,
                logger: log.logger
            )
            let verifier = try superuser.passwordVerifier(user: "keeper", password: "right horse")
            try await superuser.script(
                "CREATE ROLE keeper LOGIN PASSWORD \(PostgresConnection.quote(literal: verifier))"
            )
            let right = try server.configuration().user("keeper", password: "right horse")
            let connection = try await PostgresConnection.connect(
                right,
                reactor: try TestReactor.shared,
                logger: log.logger
            )
            #expect(try await connection.text("SELECT current_user::text") == "keeper")
            let wrong = try await failureOfConnecting(
                server.configuration().user("keeper", password: "battery staple")
            )
            #expect(wrong?.code == .connectFailed)
            #expect(wrong?.sqlState == .invalidPassword)
            #expect(wrong.map { !"\($0) \($0.serverMessage ?? "")".contains("battery staple") } == true)
        }
    }

    @Test func `when the server has no place left that is the reason given, and later there is one`() async throws {
        try await withServer(maximumConnections: 10) { server, _ in
            let configuration = server.configuration()
            var open: [PostgresConnection] = []
            var refusal: PostgresError?
            while refusal == nil, open.count < 20 {
                do throws(PostgresError) {
                    open.append(
                        try await PostgresConnection.connect(
                            configuration,
                            reactor: try TestReactor.shared,
                            logger: LogCollector().logger
                        )
                    )
                } catch {
                    refusal = error
                }
            }
            #expect(refusal?.sqlState == .tooManyConnections)
            for connection in open { await connection.close() }
            try await eventually("a place is free") { await failureOfConnecting(configuration) == nil }
        }
    }

    @Test func `a server that is going down or coming up says so until it is up`() async throws {
        try await withServer { server, local in
            let configuration = server.configuration()
            let holder = try await PostgresConnection.connect(
                configuration,
                reactor: try TestReactor.shared,
                logger: LogCollector().logger
            )
            await local.stop(mode: .immediate)
            try await eventually("the connection is noticed to be dead") { !holder.isUsable }
            #expect(await failureOfConnecting(configuration)?.code == .connectFailed)
            #expect(await failure { try await holder.number("SELECT 1::int8") }?.code == .connectionLost)
            let starting = Task { try await local.start() }
            var reasons: Set<SQLState?> = []
            try await eventually("the server is up") {
                let error = await failureOfConnecting(configuration)
                if let error { reasons.insert(error.sqlState) }
                return error == nil
            }
            #expect(reasons.isSubset(of: [nil, .cannotConnectNow]))
            try await starting.value
        }
    }

    // libpq closes the first socket and often gets the same descriptor for the next host; a poller that is not told waits for ever.
    @Test func `of several hosts the first that answers is used`() async throws {
        let server = try await PlainServer.start(
            listensOnTCP: true,
            hostRules: ["local all all trust", "host all all 127.0.0.1/32 trust"]
        )
        try await server.use { server in
            for dead in [1, 3] {
                let hosts = [String](repeating: "127.0.0.1", count: dead + 1).joined(separator: ",")
                let ports = ([String](repeating: "1", count: dead) + ["\(server.port)"]).joined(separator: ",")
                var configuration = try PostgresConfiguration(
                    "host=\(hosts) port=\(ports) user=postgres dbname=postgres"
                )
                configuration.connectDeadline = .ample
                #expect(await failureOfConnecting(configuration) == nil)
            }
        }
    }

    @Test func `after the reactor is shut down nothing connects, and nobody waits`() async throws {
        try await withFixture { fixture in
            let reactor = try Reactor()
            let open = try await PostgresConnection.connect(
                fixture.configuration,
                reactor: reactor,
                logger: fixture.log.logger
            )
            await reactor.shutdown()
            await reactor.shutdown()
            #expect(await failure { try await open.number("SELECT 1::int8") }?.code == .closed)
            let late = await failure {
                try await PostgresConnection.connect(
                    fixture.configuration,
                    reactor: reactor,
                    logger: fixture.log.logger
                )
            }
            #expect(late?.code == .connectFailed || late?.code == .closed)
            let pipeline = PostgresPipeline(fixture.configuration, reactors: [reactor], logger: fixture.log.logger)
            #expect(await failure { try await pipeline.query(Statement("SELECT 1")) } != nil)
        }
    }

    @Test func `a connection that is dropped without being closed is closed`() async throws {
        try await withFixture { fixture in
            let observer = try await fixture.connect()
            var process: Int32 = 0
            do {
                let connection = try await fixture.connect()
                process = connection.backendProcessID
                #expect(try await connection.number("SELECT 1::int8") == 1)
            }
            let count = Statement("SELECT count(*) FROM pg_stat_activity WHERE pid = $1")
            try await eventually("the server has noticed") {
                try await observer.query(count, [process])[0].decode(0, as: Int.self) == 0
            }
        }
    }
}
