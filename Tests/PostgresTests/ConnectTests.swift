import LocalPostgres
import Logging
import Postgres
import TestSupport
import Testing

/// Attempts to connect that fail: each ends in time, with an error that names the reason.
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

    // The fault: the machine of the primary lost its power while commits waited. The sessions kept the places of their pools for an hour.
    @Test func `a connection to a machine that is gone ends by itself, as soon as its connection string says`() throws {
        let plain = try PostgresConfiguration("host=db.example dbname=d").keywords
        #expect(plain["keepalives_idle"] == "10" && plain["keepalives_interval"] == "5")
        #expect(plain["keepalives_count"] == "3" && plain["tcp_user_timeout"] == "25000")
        let own = try PostgresConfiguration("host=db.example keepalives_idle=60 tcp_user_timeout=0").keywords
        #expect(own["keepalives_idle"] == "60" && own["tcp_user_timeout"] == "0" && own["keepalives_count"] == "3")
    }

    @Test(arguments: ["host=/nonexistent", "host=127.0.0.1 port=1", "host=no.such.name.invalid"])
    func `connecting to an address where no server listens fails`(text: String) async throws {
        let error = await failureOfConnecting(try PostgresConfiguration("\(text) user=u dbname=d"))
        #expect(error?.code == .connectFailed)
        #expect(error?.wasSent == false)
    }

    @Test func `connecting to a server that accepts and never answers fails at the deadline`() async throws {
        let listener = try SilentListener()
        var configuration = try listener.configuration()
        var deadline = Duration.milliseconds(300).onThisMachine
        // On a busy machine the deadline can pass before an attempt begins, which leaves no trace.
        repeat {
            configuration.connectDeadline = deadline
            #expect(await failureOfConnecting(configuration)?.code == .connectFailed)
            deadline = deadline * 2
        } while !listener.acceptWaiting()
        try await listener.waitForHangUp()
    }

    // The fault: the machine of the first host is gone or paused, and no packet says so.
    @Test func `a silent host does not keep the next attempt from the other hosts`() async throws {
        let listener = try SilentListener()
        let silent = try #require(try listener.configuration().parameters["host"])
        var configuration = try await TestServer.configuration()
        let host = try #require(configuration.parameters["host"])
        let port = configuration.parameters["port"] ?? "5432"
        configuration.parameters["host"] = "\(silent),\(host)"
        configuration.parameters["port"] = "5432,\(port)"
        configuration.connectDeadline = .milliseconds(300).onThisMachine
        #expect(await failureOfConnecting(configuration)?.code == .connectFailed)
        configuration.connectDeadline = .ample
        for _ in 0..<2 {
            let connection = try await PostgresConnection.connect(
                configuration,
                reactor: try TestReactor.shared,
                logger: LogCollector().logger
            )
            #expect(try await connection.number("SELECT 1::int8") == 1)
            await connection.close()
        }
    }

    // Callers of a pipeline wait for its connection. Their own deadlines count also during that wait.
    @Test func `a caller that waits for a connection to open leaves at its own deadline`() async throws {
        let listener = try SilentListener()
        var configuration = try listener.configuration()
        configuration.connectDeadline = .ample
        try await PostgresPipeline.with(
            configuration,
            reactors: [try TestReactor.shared],
            logger: LogCollector().logger
        ) { pipeline in
            let error = await failure {
                try await pipeline.query(Statement("SELECT 1"), deadline: .milliseconds(200).onThisMachine)
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(error?.wasSent == false)
            // Only now, because an attempt that has not begun ends without a trace.
            try await listener.accept()
        }
        try await listener.waitForHangUp()
    }

    @Test func `a missing database, a missing role and a server that is down cause different errors`() async throws {
        let configuration = try await TestServer.configuration()
        let missing = await failureOfConnecting(configuration.database("no such \"one\""))
        #expect(missing?.sqlState == .undefinedDatabase)
        #expect(missing?.message == "no connection to the server: the database does not exist")
        let role = await failureOfConnecting(configuration.user("no such role", password: "guess"))
        // A server that asks for passwords does not say that the role does not exist.
        #expect(role?.sqlState == .invalidAuthorization || role?.sqlState == .invalidPassword)
        let zero = await failureOfConnecting(configuration.database("post\0gres"))
        #expect(zero?.code == .connectFailed)
    }

    @Test func `a wrong password is refused, and the error gives the reason without repeating the password`()
        async throws
    {
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

    @Test func `connecting to a full server fails with tooManyConnections, and works once a connection is free`()
        async throws
    {
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
            #expect(refusal?.message.contains("has no connection left") == true)
            for connection in open { await connection.close() }
            try await eventually("a connection is free") { await failureOfConnecting(configuration) == nil }
        }
    }

    @Test func `connecting to a server that restarts fails until the server is up`() async throws {
        try await withServer { server, local in
            let configuration = server.configuration()
            let holder = try await PostgresConnection.connect(
                configuration,
                reactor: try TestReactor.shared,
                logger: LogCollector().logger
            )
            await local.stop(mode: .immediate)
            try await eventually("the loss is noticed") { !holder.isUsable }
            #expect(await failureOfConnecting(configuration)?.code == .connectFailed)
            #expect(await failure { try await holder.number("SELECT 1::int8") }?.code == .connectionLost)
            let starting = Task { try await local.start() }
            var reasons: Set<SQLState?> = []
            do {
                try await eventually("the server is up") {
                    let error = await failureOfConnecting(configuration)
                    if let error { reasons.insert(error.sqlState) }
                    return error == nil
                }
            } catch {
                // The reason of a start that failed says more than the wait for it.
                try await starting.value
                throw error
            }
            #expect(reasons.isSubset(of: [nil, .cannotConnectNow]))
            try await starting.value
        }
    }

    // libpq closes the first socket and often gets the same descriptor for the next host. A poller that does not know this waits forever.
    @Test func `of several hosts the first one that answers is used`() async throws {
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

    @Test func `after the reactor is shut down connecting fails at once`() async throws {
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

    @Test func `a connection is closed when its last reference goes`() async throws {
        try await withFixture { fixture in
            let observer = try await fixture.connect()
            var process: Int32 = 0
            do {
                let connection = try await fixture.connect()
                process = connection.backendProcessID
                #expect(try await connection.number("SELECT 1::int8") == 1)
            }
            let count = Statement("SELECT count(*) FROM pg_stat_activity WHERE pid = $1")
            try await eventually("the server has closed the session") {
                try await observer.query(count, [process])[0].decode(0, as: Int.self) == 0
            }
        }
    }
}
